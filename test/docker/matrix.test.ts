// What the watchdog does about 14 kinds of faults and operators' acts, on a real Docker Engine with Compose, under a steady load
// of which no GET may fail. One project serves all rows, in this order; the last one ends it.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { Matrix, type MatrixRow } from "../tools/compose/matrix.ts";
import { type ComposeSystem, emptyProject } from "../tools/compose/system.ts";
import { docker, IMAGE, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { assertNoneFailed, type Load, loadOn } from "../tools/load/load.ts";
import { takenPort } from "../tools/ports.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const SERVERS = [1, 2, 3, 4, 5, 6, 7].map((number) => `server-${number}`);
const SERVICES = ["balancer", "client", "proxy-1", "proxy-2", ...SERVERS, "watchdog", "watchdog-2"];
const FREE_WITHIN_MS = 10_000;

/** In a server, before our own code: at SIGUSR2 its memory grows without end. */
const EATER = `process.on("SIGUSR2", () => { const eaten = []; for (;;) eaten.push(Buffer.alloc(1 << 23, 1)); });`;
const override = (port: number) => ({
  services: {
    // Without a share of the requests: the watchdog alone sees it die.
    "server-7": {
      image: IMAGE,
      networks: ["mesh"],
      init: true,
      mem_limit: "192m",
      memswap_limit: "192m",
      labels: { "evenkeel.role": "server", "evenkeel.reports": "yes", "evenkeel.weight": "0" },
      environment: {
        ROLE: "server",
        ID: "server-7",
        GROUP: "1",
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(EATER)}`,
      },
    },
    "server-5": { ports: [`127.0.0.1:${port}:9005`] },
  },
});

const scope = fileScope();
let system: ComposeSystem;
let matrix: Matrix;
let load: Load;
let published = 0;

before(async () => {
  if (skip !== false) return;
  published = await portWithSuccessor();
  const file = join(await temporaryDirectory(scope), "matrix.json");
  await writeFile(file, JSON.stringify(override(published)));
  system = await emptyProject(scope, file);
  await system.must("up", "--build", "--wait");
  await system.serves();
  matrix = new Matrix(system, SERVICES);
  load = loadOn(scope, system.balancerPort, { get: { perSecond: 20 } });
});

const compose =
  (...words: readonly string[]) =>
  () =>
    system.must(...words);
const onContainer =
  (slot: string, ...words: readonly string[]) =>
  async () =>
    docker(...words, (await system.container(slot)).Id);
const signal = (slot: string, name: string) => () => system.signal(slot, name);
const healed = (...causes: readonly RegExp[]) => ({ kind: "healed", causes }) as const;
const left = (life: string, container: "same" | "another" | "none", back?: () => Promise<unknown>) =>
  ({ kind: "left", life, container, ...(back && { back }) }) as const;

/** Whoever watches closely may see that it refuses connections before the engine knows that it has ended. */
const ended = (how: string) => new RegExp(`^(${how}|\\d+ probes in a row went unanswered \\(ECONN[A-Z]+\\))$`);
const KILLED = ended("it exited with code 137 \\(signal 9\\)");
const ASKED_AND_STOPPED = ["asked", "stopped"];

const rows: readonly MatrixRow[] = [
  {
    action: "docker compose kill",
    slot: "server-1",
    act: compose("kill", "server-1"),
    intents: [],
    outcome: healed(KILLED),
  },
  {
    action: "docker compose kill -s TERM",
    slot: "server-2",
    act: compose("kill", "-s", "TERM", "server-2"),
    intents: ["asked"],
    outcome: healed(ended("it exited with code 0")),
  },
  {
    action: "a crash of the process",
    slot: "server-4",
    act: signal("server-4", "SEGV"),
    intents: [],
    outcome: healed(ended("it exited with code 139 \\(signal 11\\)")),
  },
  {
    action: "out of memory",
    slot: "server-7",
    act: signal("server-7", "USR2"),
    intents: [],
    outcome: healed(/^it was killed for lack of memory$/),
  },
  {
    action: "SIGSTOP of the process",
    slot: "server-6",
    act: signal("server-6", "STOP"),
    intents: [],
    outcome: healed(/^\d+ probes in a row went unanswered/),
  },
  {
    action: "docker rm -f",
    slot: "proxy-1",
    act: onContainer("proxy-1", "rm", "--force"),
    intents: [],
    outcome: healed(ended("nothing fills the slot|it exited with code 137 \\(signal 9\\)")),
  },
  {
    action: "docker compose pause",
    slot: "server-2",
    act: compose("pause", "server-2"),
    intents: [],
    outcome: left("paused", "same", compose("unpause", "server-2")),
  },
  {
    action: "docker compose stop",
    slot: "server-6",
    act: compose("stop", "server-6"),
    intents: [...ASKED_AND_STOPPED, "none"],
    outcome: left("stopped on purpose", "same", compose("start", "server-6")),
  },
  {
    action: "docker compose restart",
    slot: "proxy-1",
    act: compose("restart", "proxy-1"),
    intents: [...ASKED_AND_STOPPED, "none"],
    outcome: left("running", "same"),
  },
  {
    action: "docker compose up --force-recreate",
    slot: "server-3",
    act: compose("up", "-d", "--no-deps", "--force-recreate", "server-3"),
    intents: ASKED_AND_STOPPED,
    outcome: left("running", "another"),
  },
  {
    action: "docker compose rm -sf",
    slot: "server-2",
    act: compose("rm", "-sf", "server-2"),
    intents: ASKED_AND_STOPPED,
    outcome: left("stopped on purpose", "none", compose("up", "-d", "--no-deps", "server-2")),
  },
  {
    action: "docker network disconnect",
    slot: "proxy-2",
    act: async () => disconnect("proxy-2"),
    intents: [],
    outcome: healed(/^\d+ probes in a row went unanswered|^it is on no network where it can be reached$/),
  },
  {
    action: "a start that fails on a taken port",
    slot: "server-5",
    act: async () => dieWhilePortIsTaken("server-5"),
    intents: [],
    outcome: healed(KILLED, /^nothing fills the slot$/),
  },
];

for (const row of rows) {
  const { action, outcome } = row;
  test(`${action} is ${outcome.kind === "healed" ? "healed" : "left alone"}`, { skip }, () => matrix.run(row));
}

test("a taken port of the host is left to whoever has it, for the next one", { skip }, async () => {
  const { NetworkSettings } = await system.container("server-5");
  const moved = { HostIp: "127.0.0.1", HostPort: String(published + 1) };
  assert.deepEqual(NetworkSettings.Ports["9005/tcp"], [moved]);
});

test("in all this no GET has failed, and nothing was healed that did not have to be", { skip }, async (t) => {
  await load.finish();
  const { sent, slowestMs } = load.get;
  t.diagnostic(`${sent.length} GETs, slowest ${Math.round(slowestMs)} ms`);
  await assertNoneFailed(load);
  await matrix.assertNothingElse();
});

test("the guardian has refused none of the watchdog's calls", { skip }, async () => {
  assert.deepEqual(await system.refusedCalls(), []);
});

test("docker compose down is left alone", { skip }, async (t) => {
  const beganMs = performance.now();
  const { code, stderr } = await system.compose("down");
  matrix.note("docker compose down", "left alone: nothing is left", performance.now() - beganMs);
  for (const line of matrix.table) t.diagnostic(line);
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    (await system.leftovers()).map((left) => left.split(" ")[0]),
    ["volume"],
  );
  await system.must("down", "-v");
  assert.deepEqual(await system.leftovers(), []);
});

/** From the one network it is on. */
async function disconnect(slot: string): Promise<void> {
  const { Id, Config } = await system.container(slot);
  await docker("network", "disconnect", `${Config.Labels["com.docker.compose.project"]}_mesh`, Id);
}

/** Held meanwhile, or it would have its port again before anybody else could take it. */
async function dieWhilePortIsTaken(slot: string): Promise<void> {
  const order = (what: string) => system.must("exec", "-T", "watchdog", "node", "watchdogctl.js", what, slot);
  await order("hold");
  await system.must("kill", slot);
  const take = () => takenPort(scope, published).catch(() => undefined);
  await eventually(`port ${published} is free`, take, FREE_WITHIN_MS);
  await order("release");
}

/** A free port of which the next one in its block is free too, below those that the system gives to whoever connects. */
async function portWithSuccessor(): Promise<number> {
  const free = (port: number) => takenPort({ after: (release) => void release() }, port).catch(() => undefined);
  for (let port = 20_001 + (process.pid % 10_000); ; port += 2) {
    if (port % 100 !== 0 && (await free(port)) !== undefined && (await free(port + 1)) !== undefined) return port;
  }
}
