// Runs one row in one topology: plays it, then asks with a request to `/fence` whether all is well still. The fence is also
// how a row shows that something did not arrive: it is answered after it.

import assert from "node:assert/strict";
import { type Message, statusOf, valuesOf } from "../wire/http-bytes.ts";
import { RawClient } from "../wire/raw-client.ts";
import { answering, type Recording, type Script } from "../wire/recording-origin.ts";
import { judgeForwarded, normalBytes, normalRequest, plain } from "./normal-form.ts";
import type { Exchanged, Expected, Row } from "./row.ts";
import type { Topology } from "./topology.ts";

const FENCE = "GET /fence HTTP/1.1\r\nHost: fence.test\r\n\r\n";

/** @param quiet when no other row plays at the origin that all of them share */
export async function runRow(row: Row, at: Topology, quiet?: Promise<unknown>): Promise<void> {
  if (row.holds !== false) return run(row, at, quiet);
  const error = await run(row, at, quiet).then(
    () => undefined,
    (reason: unknown) => reason ?? "",
  );
  assert.ok(error !== undefined, `it holds by now, so it should not be marked: ${row.reason}`);
}

async function run(row: Row, at: Topology, quiet?: Promise<unknown>): Promise<void> {
  const clients: RawClient[] = [];
  const connect = async () => {
    const client = await RawClient.to(at.port);
    clients.push(client);
    return client;
  };
  try {
    if ("play" in row) {
      const recordings: Recording[] = [];
      const script = (script: Script) => {
        const recording = at.origin.play(script);
        recordings.push(recording);
        return recording;
      };
      await row.play({ at, origin: at.origin, connect, script });
      await quiet;
      await fence(await connect());
      for (const { faults } of recordings) assert.deepEqual(faults, []);
    } else await exchange(row, { at, connect });
  } finally {
    for (const client of clients) client.close();
    if (!row.slow) at.origin.play();
  }
}

export async function fence(client: RawClient): Promise<void> {
  client.send(FENCE);
  const answer = await client.final();
  assert.equal(
    `${statusOf(answer)} ${answer.body}`,
    "200 fence",
    "the next request is answered as if nothing had been",
  );
}

interface Stage {
  readonly at: Topology;
  readonly connect: () => Promise<RawClient>;
}

async function exchange(row: Exchanged, { at, connect }: Stage): Promise<void> {
  const recording = at.origin.play(typeof row.origin === "string" ? answering(row.origin) : row.origin);
  const client = await connect();
  client.send(row.request);
  for (const expected of row.answers) check(await client.response(row.method), expected);
  if (row.after === "open") await fence(client);
  else {
    assert.equal((await client.ending()).rest, "", "nothing follows the answer");
    await fence(await connect());
  }
  const upstream = typeof row.upstream === "function" ? row.upstream(at) : row.upstream;
  assert.deepEqual(recording.whole.map(normalRequest).sort(), upstream.map(normalBytes).sort());
  assert.deepEqual(recording.faults, []);
  if (row.begun !== "allowed") assert.deepEqual(recording.begun, []);
  for (const message of recording.whole) judgeForwarded(message, at);
}

export function check(answer: Message, expected: number | Expected): void {
  const wanted = typeof expected === "number" ? { status: expected } : expected;
  const { status, headers, has = [], lacks = [], body, framing, trailers, whole = true } = wanted;
  const statuses = [status].flat();
  assert.ok(statuses.includes(statusOf(answer)), `${statusOf(answer)} and not ${statuses}: ${JSON.stringify(answer)}`);
  assert.equal(answer.whole, whole, "is it whole?");
  if (headers !== undefined) assert.deepEqual(plain(answer), headers);
  const all = answer.headers.map(([name, value]) => `${name}: ${value}`);
  for (const header of has) assert.ok(all.includes(header), `${header} in ${JSON.stringify(all)}`);
  for (const name of lacks) assert.deepEqual(valuesOf(answer, name), [], `no ${name}`);
  if (body !== undefined) assert.equal(answer.body, body);
  if (framing !== undefined) assert.equal(answer.framing, framing);
  if (trailers !== undefined)
    assert.deepEqual(
      answer.trailers.map(([name, value]) => `${name}: ${value}`),
      trailers,
    );
}
