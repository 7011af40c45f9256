// What the client draws in a pseudo terminal while many requests are under way, and that the summary stands there when it is over.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type TestContext, test } from "node:test";
import { eventually, within } from "../tools/eventually.ts";
import { origin } from "../tools/http/origin.ts";
import { HOST } from "../tools/ports.ts";
import { inTerminal } from "../tools/process/pseudo-terminal.ts";

const ENDS_MS_MAX = 60_000;
const skip = spawnSync("script", ["--version"]).error !== undefined && "there is no util-linux script here";
/** What colours it, and what takes the lines away that stood there. */
const COLOUR = "\x1b[3";
const AGAIN = "\r\x1b[J";

/** Servers answer by turns; one that is killed no longer does. */
async function balancer(t: TestContext, failing = false) {
  const killed = new Set<string>();
  let count = 0;
  const { port } = await origin(t, (_request, response) => {
    const servers = ["server-1", "server-2"].filter((server) => !killed.has(server));
    count += 1;
    if (failing && count % 5 === 0) return response.writeHead(503).end("503: no-member\n");
    response.writeHead(200, { "X-Served-By": servers[count % servers.length], Via: "1.1 proxy-1, 1.1 balancer" });
    return response.end();
  });
  return { killed, words: ["--url", `http://${HOST}:${port}`] };
}

test("a progress bar has share, counts and rate, in colour, and the summary takes its place", { skip }, async (t) => {
  const { words } = await balancer(t);
  const shown = inTerminal(t, "services/client/client", ["7", "--requests", "60", "--rate", "100", ...words]);
  assert.equal(await within(ENDS_MS_MAX, "its end", shown.ended), 0);
  const [drawn = "", summary = ""] = shown.written().split(/(?=client 7: )/);
  const bars = drawn.split(AGAIN).filter(Boolean);
  assert.ok(bars.length >= 2, drawn);
  for (const bar of bars) {
    assert.ok(bar.startsWith(`${COLOUR}2m`) && bar.endsWith("\x1b[0m"), bar);
    assert.match(bar, /\[#*-*\] \d+ % {2}\d+ answered {2}0 failed {2}\d+\/s/);
  }
  assert.ok(drawn.endsWith(AGAIN));
  assert.match(summary, /^client 7: 60 answered, 0 failed\r\n/);
});

test("NO_COLOR is honoured, and a bar with failures says how many", { skip }, async (t) => {
  const { words } = await balancer(t, true);
  const parameters = ["7", "--requests", "50", "--rate", "100", ...words];
  const shown = inTerminal(t, "services/client/client", parameters, { NO_COLOR: "1" });
  assert.equal(await within(ENDS_MS_MAX, "its end", shown.ended), 1);
  assert.ok(!shown.written().includes(COLOUR));
  assert.match(shown.written(), / [1-9]\d* failed {2}\d+\/s/);
  assert.match(shown.written(), /\n +10 {2}http:\S+ answered 503: no-member\r\n$/);
});

test("a failed request turns the bar red", { skip }, async (t) => {
  const { words } = await balancer(t, true);
  const shown = inTerminal(t, "services/client/client", ["7", "--requests", "50", "--rate", "100", ...words]);
  await within(ENDS_MS_MAX, "its end", shown.ended);
  assert.ok(shown.written().includes("\x1b[31m["), shown.written());
});

test("--watch shows who answers while a server is killed; Ctrl-C ends it with the summary", { skip }, async (t) => {
  const { killed, words } = await balancer(t);
  const shown = inTerminal(t, "services/client/client", ["7", "--watch", ...words]);
  /** What stands on the screen: the last that was drawn. */
  const screen = () => shown.written().split("\x1b[J").at(-1) ?? "";
  const row = (server: string) => new RegExp(`proxy-1 +${server} +(\\d+) +(\\d+) +([▁-█ ]*)`).exec(screen());
  await eventually(
    "both answer",
    () => Number(row("server-1")?.[2]) > 0 && Number(row("server-2")?.[2]) > 0,
    ENDS_MS_MAX,
  );
  killed.add("server-2");
  await eventually("server-2 has had a second without an answer", () => row("server-2")?.[2] === "0", ENDS_MS_MAX);
  assert.ok(Number(row("server-1")?.[2]) > 0, screen());
  shown.type("\x03");
  assert.equal(await within(ENDS_MS_MAX, "its end", shown.ended), 0);
  assert.match(shown.written(), /client 7: \d+ answered, 0 failed\r\n/);
  assert.match(shown.written(), / {2}server-2 +\d+ +\d+\.\d %\r\n/);
});

test("--json in a terminal draws the same and leaves one document", { skip }, async (t) => {
  const { words } = await balancer(t);
  const shown = inTerminal(t, "services/client/client", ["7", "--requests", "30", "--rate", "100", "--json", ...words]);
  assert.equal(await within(ENDS_MS_MAX, "its end", shown.ended), 0);
  const document = shown.written().split("\x1b[J").at(-1) ?? "";
  assert.equal(JSON.parse(document).answered, 30);
});
