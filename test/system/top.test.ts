// `watchdogctl top` and `status --watch`, against a running system: what is drawn in a pseudo terminal while a server is killed and
// healed, and what is written in a pipe.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { get } from "node:http";
import { before, test } from "node:test";
import { eventually, within } from "../tools/eventually.ts";
import { origin } from "../tools/http/origin.ts";
import { freePort, HOST } from "../tools/ports.ts";
import { inTerminal } from "../tools/process/pseudo-terminal.ts";
import { run } from "../tools/process/run.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { fileScope } from "../tools/scope.ts";
import { startApi } from "../tools/watchdog/api.ts";

const ENDS_MS_MAX = 60_000;
const skip = spawnSync("script", ["--version"]).error !== undefined && "there is no util-linux script here";
const CTL = "watchdog/ctl/watchdogctl";

const scope = fileScope();
let system: ProcessSystem;
let environment: Readonly<Record<string, string>>;

before(async () => {
  system = await startSystem(scope);
  environment = { WATCHDOG_PORT: String(system.watchdogPort) };
});

/** What stands on the screen: the last that was drawn. */
function onScreen(written: string): string {
  return written.split("\x1b[J").at(-1) ?? "";
}

test("top shows each member's traffic, a killed server and its heal, until Ctrl-C", { skip }, async (t) => {
  const BALANCER_URL = `http://${HOST}:${system.balancerPort}`;
  const load = run(t, "services/client/client", { BALANCER_URL }, ["7", "--duration", "1h", "--rate", "60"]);
  const shown = inTerminal(t, CTL, ["top"], environment, { columns: 200, rows: 40 });
  const screen = () => onScreen(shown.written());
  const row = (id: string) => new RegExp(`^(?:\x1b\\[3\\dm)?${id} .*`, "m").exec(screen())?.[0] ?? "";
  const isServed = (n: number) => / serving .* 1 +\d+ +[1-9][\d.]* /.test(row(`server-${n}`));
  const isWhole = () => /SERVING {2}9 of 9 members serve/.test(screen()) && [1, 2, 3, 4, 5, 6].every(isServed);
  await eventually(() => `rates of all servers in ${screen()}`, isWhole, ENDS_MS_MAX);
  assert.match(
    screen(),
    /^[\d.]+ requests a second, 0 % errors, p50 \S+ ms, p99 \S+ ms, \d+ in flight, registry version \d+/m,
  );
  await system.healsAfter("SIGKILL", "server-4");
  await eventually(
    () => `the heal in ${screen()}`,
    () => /^incident 1 .* server-4 healed in \d+ ms: /m.test(screen()),
    ENDS_MS_MAX,
  );
  await eventually(
    () => `it serves in ${screen()}`,
    () => /^server-4 +serving .* 1 +\S+/m.test(screen()),
    ENDS_MS_MAX,
  );
  shown.type("\x03");
  assert.equal(await within(ENDS_MS_MAX, "its end", shown.ended), 0);
  load.child.kill("SIGINT");
  const { code, stdout } = await within(ENDS_MS_MAX, "the end of the load", load.ended);
  assert.equal(code, 0, stdout);
});

test("top in a pipe is written once, with the first figures", async (t) => {
  const { code, stdout, stderr } = await within(ENDS_MS_MAX, "its end", run(t, CTL, environment, ["top"]).ended);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^.* {2}SERVING {2}9 of 9 members serve\n/);
  assert.match(stdout, /^balancer +serving /m);
});

test("status --watch is drawn in its place on a terminal, without colours, until Ctrl-C", { skip }, async (t) => {
  const shown = inTerminal(t, CTL, ["status", "--watch"], environment, { columns: 200, rows: 40 });
  await eventually("it is drawn twice", () => shown.written().split("\x1b[J").length > 2, ENDS_MS_MAX);
  assert.match(onScreen(shown.written()), /^9 of 9 members serve, registry version \d+/);
  shown.type("\x03");
  assert.equal(await within(ENDS_MS_MAX, "its end", shown.ended), 0);
});

test("status --watch in a pipe is written when it has changed, with --json as lines", async (t) => {
  const watching = run(t, CTL, environment, ["status", "--watch", "--json"]);
  let seen = "";
  watching.child.stdout?.on("data", (chunk) => {
    seen += chunk;
  });
  const states = () =>
    seen
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { slots: { slot: string; held: boolean }[] });
  const isHeld = () => states().map(({ slots }) => slots.find(({ slot }) => slot === "server-3")?.held);
  await eventually("the first state", () => states().length > 0, ENDS_MS_MAX);
  await within(ENDS_MS_MAX, "the hold", run(t, CTL, environment, ["hold", "server-3"]).ended);
  await eventually("the hold is seen", () => isHeld().at(-1) === true, ENDS_MS_MAX);
  await within(ENDS_MS_MAX, "the release", run(t, CTL, environment, ["release", "server-3"]).ended);
  await eventually("the release is seen", () => isHeld().at(-1) === false, ENDS_MS_MAX);
  watching.child.kill("SIGTERM");
  assert.equal((await within(ENDS_MS_MAX, "its end", watching.ended)).code, 0);
  for (const [index, state] of states().entries()) assert.notDeepEqual(state, states()[index + 1]);
});

test("a watchdog that goes is said so while it is gone, and what it last said stays", { skip }, async (t) => {
  const connections: { destroy(): void }[] = [];
  const port = await startApi(t);
  let gone = false;
  const { port: front } = await origin(t, ({ url }, response) => {
    connections.push(response);
    if (gone) return void response.destroy();
    const behind = get({ host: HOST, port, path: url }, (reply) => {
      response.writeHead(reply.statusCode ?? 0, { "Content-Type": reply.headers["content-type"] });
      reply.pipe(response);
    });
    return response.on("close", () => behind.destroy());
  });
  const shown = inTerminal(t, CTL, ["top", "--url", `http://${HOST}:${front}`], {}, { columns: 200, rows: 40 });
  await eventually("it is drawn", () => /server-4 +serving/.test(onScreen(shown.written())), ENDS_MS_MAX);
  gone = true;
  for (const connection of connections) connection.destroy();
  await eventually(
    "it says so",
    () => /watchdog unreachable for \d+ s; traffic goes on/.test(onScreen(shown.written())),
    ENDS_MS_MAX,
  );
  assert.match(onScreen(shown.written()), /server-4 +serving/);
  gone = false;
  await eventually("it is back", () => !onScreen(shown.written()).includes("unreachable"), ENDS_MS_MAX);
  shown.type("\x03");
  assert.equal(await within(ENDS_MS_MAX, "its end", shown.ended), 0);
});

for (const words of [["top"], ["status", "--watch"]]) {
  test(`${words.join(" ")} where nobody answers, or somebody else, is one line and 1`, async (t) => {
    const { port: foreign } = await origin(t, (_request, response) => void response.end("<html>stats</html>"));
    for (const [port, said] of [
      [await freePort(), /^cannot reach the watchdog at /],
      [foreign, /no watchdog of this version/],
    ] as const) {
      const url = `http://${HOST}:${port}`;
      const { code, stdout, stderr } = await within(
        ENDS_MS_MAX,
        "its end",
        run(t, CTL, {}, [...words, "--url", url]).ended,
      );
      assert.deepEqual([code, stdout], [1, ""]);
      assert.match(stderr, said);
      assert.equal(stderr.split("\n").length, 2);
    }
  });
}
