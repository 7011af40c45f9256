// Rows 18-20: what says where a request has been, and how far it may go.

import assert from "node:assert/strict";
import { valuesOf } from "../../wire/http-bytes.ts";
import { head, passed, played, type Row, refused, request } from "../row.ts";
import type { Topology } from "../topology.ts";

const okWith = (...headers: readonly string[]) => `${head("HTTP/1.1 200 OK", ...headers, "Content-Length: 2")}ok`;

/** What the last request carried under a name. */
function sees(
  [rule, section, fact]: readonly [number, string, string],
  bytes: string,
  { name, values }: { name: string; values: (at: Topology) => readonly string[] },
): Row {
  return played([rule, section, fact], async ({ at, origin, connect }) => {
    const recording = origin.play();
    const client = await connect();
    client.send(bytes);
    await client.final();
    assert.equal(recording.whole.length, 1);
    assert.deepEqual(
      recording.whole.map((message) => valuesOf(message, name)),
      [values(at)],
    );
  });
}

const via: readonly Row[] = [
  sees([18, "9110 7.6.3", "a request's Via names every tier in turn"], request("GET /"), {
    name: "via",
    values: ({ pseudonyms }) => [pseudonyms.map((name) => `1.1 ${name}`).join(", ")],
  }),
  sees(
    [18, "9110 7.6.3", "a request's Via goes on behind those before it, in their order"],
    request("GET /", "Via: 1.0 fred, 1.1 p.test (x)", "Via: HTTP/1.1 second"),
    {
      name: "via",
      values: ({ pseudonyms }) => [
        `1.0 fred, 1.1 p.test (x), HTTP/1.1 second, ${pseudonyms.map((name) => `1.1 ${name}`).join(", ")}`,
      ],
    },
  ),
  sees([18, "9110 7.6.3", "Via names the version in which the request came"], head("GET / HTTP/1.0", "Host: a.test"), {
    name: "via",
    values: ({ pseudonyms }) => [pseudonyms.map((name, hop) => `1.${hop === 0 ? 0 : 1} ${name}`).join(", ")],
  }),
  played([18, "9110 7.6.3", "a response's Via goes on behind those before it"], async ({ at, origin, connect }) => {
    origin.play(async (peer) => {
      await peer.whole;
      peer.send(okWith("Via: 1.1 inner"));
    });
    const client = await connect();
    client.send(request("GET /"));
    const way = [...at.pseudonyms].reverse().map((name) => `1.1 ${name}`);
    assert.deepEqual(valuesOf(await client.final(), "via"), [["1.1 inner", ...way].join(", ")]);
  }),
  refused(
    [19, "9110 7.6.3", "a request that has been here twice is in a loop"],
    request("GET /", "Via: 1.1 lb, 1.1 proxy-1", "Via: 1.1 lb, 1.1 proxy-1"),
    508,
  ),
  passed(
    [19, "9110 7.6.3", "a Via whose comment names a tier is no loop"],
    request("GET /", "Via: 1.1 other (lb), 1.1 xlb, 1.1 proxy-10, 1.1 lb.test"),
    request("GET /"),
  ),
  played([19, "9110 7.6", "a tier whose member is itself ends the loop with 508"], async ({ at, connect }) => {
    await at.register([{ port: at.port }]);
    try {
      const client = await connect();
      client.send(request("GET /"));
      assert.match((await client.final()).line, / 508 /);
    } finally {
      await at.restore();
    }
  }),
];

const maxForwards: readonly Row[] = [
  sees(
    [20, "9110 7.6.2", "OPTIONS goes on with one Max-Forwards less for each tier"],
    request("OPTIONS /", "Max-Forwards: 5"),
    {
      name: "max-forwards",
      values: ({ pseudonyms }) => [String(5 - pseudonyms.length)],
    },
  ),
  {
    ...{ rule: 20, section: "9110 7.6.2", fact: "OPTIONS with Max-Forwards: 0 is answered by the first tier" },
    ...{
      request: request("OPTIONS /", "Max-Forwards: 0"),
      answers: [{ status: [200, 204], body: "" }],
      after: "open",
      upstream: [],
    },
  },
  {
    ...{ rule: 20, section: "9110 7.6.2", fact: "OPTIONS * with Max-Forwards: 0 is answered by the first tier" },
    ...{
      request: request("OPTIONS *", "Max-Forwards: 0"),
      answers: [{ status: [200, 204], body: "" }],
      after: "open",
      upstream: [],
    },
  },
  {
    ...{ rule: 20, section: "9110 7.6.2", fact: "OPTIONS with Max-Forwards: 1 goes one tier far" },
    ...{ request: request("OPTIONS /", "Max-Forwards: 1"), answers: [{ status: [200, 204] }], after: "open" },
    upstream: ({ pseudonyms }) => (pseudonyms.length > 1 ? [] : [request("OPTIONS /", "Max-Forwards: 0")]),
  },
  {
    ...{ rule: 20, section: "9112 6", fact: "OPTIONS with Max-Forwards: 0 and a body leaves the connection in order" },
    request: `${request("OPTIONS /", "Max-Forwards: 0", "Content-Length: 5")}hello`,
    ...{ answers: [{ status: [200, 204], body: "" }], after: "open", upstream: [] },
  },
  passed([20, "9110 7.6.2", "Max-Forwards on another method stays as it is"], request("GET /", "Max-Forwards: 0")),
  ...["-1", "x", "1, 2", ""].map((value) =>
    refused(
      [20, "9110 7.6.2", `OPTIONS with Max-Forwards: ${JSON.stringify(value)} is refused`],
      request("OPTIONS /", `Max-Forwards: ${value}`),
    ),
  ),
  refused(
    [20, "9110 7.6.2", "OPTIONS with two Max-Forwards is refused"],
    request("OPTIONS /", "Max-Forwards: 0", "Max-Forwards: 5"),
  ),
  refused([20, "9110 9.3.8", "TRACE is refused: it would echo credentials"], request("TRACE /", "Cookie: a=1"), 405),
  refused([20, "9110 9.3.8", "TRACE with Max-Forwards: 0 is refused"], request("TRACE /", "Max-Forwards: 0"), 405),
];

export const way: readonly Row[] = [...via, ...maxForwards];
