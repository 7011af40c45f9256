// All members' metrics as one text: each metric once, each series with the member that told it, and nothing that would spoil the text.

import assert from "node:assert/strict";
import { test } from "node:test";
import supertest from "supertest";
import { mergedMetrics } from "../../watchdog/traffic/merged.ts";
import { named, origin } from "../tools/http/origin.ts";
import { freePort } from "../tools/ports.ts";
import { startTier } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { apiApp } from "../tools/watchdog/api.ts";
import { member, state } from "../tools/watchdog/state.ts";

const lines = (...text: readonly string[]) => text.join("\n");
const of = (id: string) => ({ member: id, role: "server" });
/** Without what it says of who answered. */
const merged = (...texts: readonly string[]) =>
  mergedMetrics(texts.map((text, at) => ({ labels: of(`server-${at + 1}`), text }))).split(
    "\n\n# HELP evenkeel_member_scraped",
  )[0];

test("a metric that several tell is there once, with the series of each under its name", () => {
  const told = (count: number) =>
    lines("# HELP a_total What.", "# TYPE a_total counter", `a_total ${count}`, `a_total{code="2xx"} ${count}`, "");
  assert.equal(
    merged(told(1), told(2)),
    lines(
      "# HELP a_total What.",
      "# TYPE a_total counter",
      'a_total{member="server-1",role="server"} 1',
      'a_total{member="server-1",role="server",code="2xx"} 1',
      'a_total{member="server-2",role="server"} 2',
      'a_total{member="server-2",role="server",code="2xx"} 2',
    ),
  );
});

const head = lines("# HELP a What.", "# TYPE a gauge", "a 1");
for (const [fact, line] of [
  ["no series at all", "<html>"],
  ["a value that is no number", "a much"],
  ["labels that do not end", 'a{b="c 1'],
  ["a label that says who told it", 'a{member="server-9"} 1'],
  ["a time, which would be its word on when it was", "a 1 1795826874000"],
  ["a comment that ends another metric", "# EOF"],
] as const) {
  test(`of what a member tells is left out: ${fact}`, () => {
    assert.equal(merged(lines(head, line)), merged(head));
  });
}

test("values and labels of every kind go through as they are", () => {
  const told = ['b="x"', 'b="a \\"quoted\\" \\\\ one",c="}"'].flatMap((labels) =>
    ["0", "-1.5", "1e-7", "2.5e+21", "+Inf", "NaN", "Nan"].map((value) => `a{${labels}} ${value}`),
  );
  const text = merged(lines("# TYPE a gauge", ...told)) ?? "";
  assert.equal(text.split("\n").length, told.length + 1);
});

test("who did not answer is told", () => {
  const text = mergedMetrics([
    { labels: of("server-1"), text: head },
    { labels: of('a"b'), text: undefined },
  ]);
  assert.match(text, /^evenkeel_member_scraped\{member="server-1",role="server"\} 1$/m);
  assert.match(text, /^evenkeel_member_scraped\{member="a\\"b",role="server"\} 0$/m);
});

test("/metrics/all has the watchdog's series and those of each member, and goes on without one that is gone or lies", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("server-1", server.port)]);
  const liar = await origin(t, (_request, response) => void response.end("a 1\n# HELP\n</html>"));
  const at = (id: string, adminPort: number) => member(id, { host: "127.0.0.1", adminPort });
  const members = [at("proxy-1", tier.adminPort), at("server-1", await freePort()), at("server-2", liar.port)];
  const { text } = await supertest(apiApp({ state: () => state(members, []) }))
    .get("/metrics/all")
    .expect(200)
    .expect("Content-Type", /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^evenkeel_build_info\{member="watchdog",role="watchdog",instance="watchdog",version=/m);
  assert.match(text, /^evenkeel_upstream_requests_total\{member="proxy-1",role="proxy",.*upstream="server-1".*\} 0$/m);
  assert.match(text, /^evenkeel_member_scraped\{member="server-1",.*\} 0$/m);
  assert.match(text, /^evenkeel_member_scraped\{member="server-2",.*\} 1$/m);
  const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  assert.equal(new Set(types).size, types.length);
});
