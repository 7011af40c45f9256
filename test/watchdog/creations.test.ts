// Which containers of another version the filter lets a watchdog make, from what it has seen through its socket: a replica like one that is
// gone, while one of its service is there that may do as much, or like one that is there, of a newer image. The engine here is a small server on a Unix socket.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Inspected } from "../../watchdog/engines/docker/containers/document.ts";
import { ofImage } from "../../watchdog/engines/docker/twin/new-image.ts";
import { twinOf } from "../../watchdog/engines/docker/twin/recreate.ts";
import { asReplica } from "../../watchdog/engines/docker/twin/replica.ts";
import { askSocket, filteredSocket } from "../tools/docker/filtered-socket.ts";
import { IMAGE_ID, inspected } from "../tools/docker/inspected.ts";
import { temporaryDirectory } from "../tools/registry.ts";

type Changes = Readonly<Record<string, unknown>>;
const STEM = "evenkeel-server-4";

function version(hash: string, created: string, host: Changes = {}): Inspected {
  const made = inspected();
  const Labels = { ...made.Config.Labels, "com.docker.compose.config-hash": hash };
  const Config = { ...made.Config, Env: [`VERSION=${hash}`], Labels };
  return { ...made, Id: hash.repeat(64), Created: created, Config, HostConfig: { ...made.HostConfig, ...host } };
}

const twin = (of: Inspected, number: string) =>
  twinOf(asReplica(of, number), { image: IMAGE_ID, environment: {}, parents: new Map(), portMoves: 0 });

interface Seen {
  /** The ids of the containers that are there. */
  readonly there?: readonly string[];
  /** What is asked for; default: a replica of the first version. */
  readonly body?: object;
  /** By name or id. */
  readonly images?: Readonly<Record<string, object>>;
}

/** A service that was of the first version, and is of the second; @returns what is said to a replica of the first. */
async function madeAgain(t: TestContext, [was, is]: readonly [Inspected, Inspected], seen: Seen = {}) {
  const { there: ids = [is.Id], body = twin(was, "2"), images = {} } = seen;
  const there = new Map([was, is].map((each) => [each.Id, each]));
  const made: string[] = [];
  const engine = createServer((request, response) => {
    const id = /^\/v1\.45\/containers\/(\w{64})\/json$/.exec(request.url ?? "")?.[1];
    const found = id === undefined ? undefined : there.get(id);
    if (request.method === "POST") made.push(request.url ?? "");
    if (request.method === "POST") response.writeHead(201).end('{"Id":"new"}');
    else if (request.url?.includes("/images/"))
      response.end(JSON.stringify(images[request.url.split("/")[3] ?? ""] ?? { Id: IMAGE_ID }));
    else if (found !== undefined) response.end(JSON.stringify(found));
    else response.writeHead(404).end("{}");
  });
  const enginePath = join(await temporaryDirectory(t), "docker.sock");
  await once(engine.listen(enginePath), "listening");
  t.after(() => void engine.close());
  const { path, refused } = await filteredSocket(t, { enginePath, project: "evenkeel" });
  for (const { Id } of [was, is]) await askSocket(path, { method: "GET", target: `/v1.45/containers/${Id}/json` });
  for (const id of there.keys()) if (!ids.includes(id)) there.delete(id);
  const name = `${STEM}-2`;
  const { status } = await askSocket(path, {
    ...{ method: "POST", target: `/v1.45/containers/create?name=${name}`, body },
  });
  return { status, made, refused: refused.splice(0).join() };
}

const EARLIER = "2026-01-01T00:00:00Z";
const LATER = "2026-01-02T00:00:00Z";

test("a replica of an earlier version goes through while one is there that may do as much", async (t) => {
  const { status, made, refused } = await madeAgain(t, [version("a", EARLIER), version("b", LATER)]);
  assert.deepEqual([status, made, refused], [201, [`/v1.45/containers/create?name=${STEM}-2`], ""]);
});

test("what somebody made anew with fewer rights does not get the old ones back", async (t) => {
  const { status, made, refused } = await madeAgain(t, [
    version("a", EARLIER, { Privileged: true }),
    version("b", LATER),
  ]);
  assert.deepEqual([status, made], [403, []]);
  assert.match(refused, /it had other rights before, HostConfig\.Privileged/);
});

test("a service of which nothing is left gets no earlier version", async (t) => {
  const { status, made, refused } = await madeAgain(t, [version("a", EARLIER), version("b", LATER)], { there: [] });
  assert.deepEqual([status, made], [403, []]);
  assert.match(refused, /no replica of ours that is there is as/);
});

const NEWER = `sha256:${"2f".repeat(32)}`;

/** As a watchdog asks for one of a newer image: what is the image's is not in it. */
function ofNewer(of: Inspected, changes: Changes = {}) {
  const newer = ofImage(of, { Id: IMAGE_ID, Config: { User: of.Config.User } }, { Id: NEWER }) as Inspected;
  const options = { image: of.Config.Image, environment: {}, parents: new Map(), portMoves: 0 };
  return { ...twinOf(asReplica(newer, "2"), options), ...changes };
}

test("a replica of what its image's name means now goes through, and with nothing else of its own", async (t) => {
  const versions = [version("a", EARLIER), version("b", LATER)] as const;
  const [, is] = versions;
  const images = {
    [IMAGE_ID]: { Id: IMAGE_ID, Config: { User: is.Config.User } },
    [is.Config.Image]: { Id: NEWER, Config: { User: "other" } },
  };
  const of = (changes: Changes) => madeAgain(t, versions, { body: ofNewer(is, changes), images });
  assert.deepEqual(await of({}), { status: 201, made: [`/v1.45/containers/create?name=${STEM}-2`], refused: "" });
  for (const changes of [{ User: "0" }, { Cmd: ["sh"] }, { Image: NEWER }, { Env: ["A=1"] }])
    assert.equal((await of(changes)).status, 403, JSON.stringify(changes));
  const { status } = await madeAgain(t, versions, { body: ofNewer(is), images, there: [] });
  assert.equal(status, 403, "nothing of the service is there");
});
