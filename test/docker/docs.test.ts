// The commands of README.md, docs/ and examples/ that need Docker, run in a copy of the checkout on a real engine, in the order in which
// a reader meets them. One test a part: what one command leaves is what the next one finds.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { docker, dockerSkip as skip } from "../tools/docker/docker.ts";
import { commandsBy } from "../tools/docs/commands.ts";
import { type Reader, reader, runCommand } from "../tools/docs/run-command.ts";
import { fileScope } from "../tools/scope.ts";

const PROJECT = `evenkeel-docs-${process.pid}`;
const LABEL = `label=com.docker.compose.project=${PROJECT}`;
const UP = "docker compose up --build --wait";
const DOWN = "docker compose down -v";
const ctl = (words: string) => `docker compose exec watchdog node watchdogctl.js ${words}`;
const laidOver = (example: string, words: string) =>
  `docker compose -f docker-compose.yml -f examples/${example}/compose.yaml ${words}`;

const parts: Readonly<Record<string, readonly string[]>> = {
  "README.md's first screen": [
    UP,
    "docker compose exec client node client.js 7",
    "docker compose kill server-4",
    "docker compose exec client node client.js 7 --count 600",
    "docker compose ps --format 'table {{.Service}}\\t{{.Status}}' server-4",
  ],
  "the command line": [
    ...["status", "top", "incidents", "incidents --slot server-4 --limit 5", "incidents 1"].map(ctl),
    ...["hold server-3", "release server-3", "pause server-3", "resume server-3"].map(ctl),
    ...["weight server-3 0", "weight server-3 default", "heal server-3", "doctor"].map(ctl),
    "docker compose run --rm --no-deps watchdog node watchdogctl.js doctor",
    "docker compose exec client node client.js 7 --requests 10000 --concurrency 50",
    "docker compose exec client node client.js 7 --duration 30s --rate 500 --json",
    "docker compose exec client node client.js 7 --watch",
    "docker compose config --format json | docker compose exec -T watchdog node watchdogctl.js check",
    "docker compose exec watchdog sh -c 'cat /sys/fs/cgroup/cpu.stat || cat /sys/fs/cgroup/cpuacct/cpuacct.usage'",
  ],
  "the API": [
    "curl -s http://127.0.0.1:8404/api/v1/state",
    "curl -s 'http://127.0.0.1:8404/api/v1/incidents?limit=5'",
    "curl -s http://127.0.0.1:8404/api/openapi.json",
    "curl -s http://127.0.0.1:8404/sd/targets",
    "curl -s http://127.0.0.1:8404/metrics/all",
  ],
  "chaos, and then down": [
    "CHAOS=yes docker compose up -d --wait watchdog",
    "docker compose exec watchdog node chaos.js --minutes 5 --seed 7",
    DOWN,
  ],
  "the example with settings": ["cp examples/settings/.env .env", UP, DOWN],
  "Prometheus and Grafana": ["docker compose --profile observability up --build --wait"],
  "the example with an image of one's own": [
    laidOver("own-image", "up --build --wait"),
    laidOver("own-image", "exec client node client.js 7 --count 60"),
    laidOver("own-image", "kill app"),
    laidOver("own-image", "ps app"),
    laidOver("own-image", "down -v"),
  ],
  "the measure of recoveries": ["npm run bench:recovery"],
};

const scope = fileScope();
let own: Reader;

before(async () => {
  if (skip !== false) return;
  scope.after(clear);
  own = await reader(scope, PROJECT);
});

test("every command that needs Docker is run here", () => {
  assert.deepEqual([...new Set(Object.values(parts).flat())].sort(), commandsBy("compose").sort());
});

for (const [part, written] of Object.entries(parts)) {
  test(`${part}: every command does what is written`, { skip }, async (t) => {
    for (const command of written) {
      const begunMs = performance.now();
      await runCommand(own, command);
      t.diagnostic(`${Math.round(performance.now() - begunMs)} ms: ${command}`);
    }
    if (written.some((command) => command.endsWith("down -v"))) assert.deepEqual(await leftovers(), []);
  });
}

/** Of the project: containers, networks and volumes. */
async function leftovers(): Promise<string[]> {
  const lists = [
    docker("ps", "--all", "--quiet", "--filter", LABEL),
    docker("network", "ls", "--quiet", "--filter", LABEL),
    docker("volume", "ls", "--quiet", "--filter", LABEL),
  ];
  return (await Promise.all(lists)).flatMap((list) => list.split("\n").filter(Boolean));
}

/** Nothing is left after this, not even of a test that failed: the healers go first. */
async function clear(): Promise<void> {
  const ids = (...filters: readonly string[]) =>
    docker("ps", "--all", "--quiet", "--filter", LABEL, ...filters.flatMap((filter) => ["--filter", filter]));
  for (const filter of [
    ["label=com.docker.compose.service=watchdog"],
    ["label=com.docker.compose.service=watchdog-2"],
    [],
  ]) {
    const found = (await ids(...filter)).split("\n").filter(Boolean);
    if (found.length > 0) await docker("rm", "--force", ...found);
  }
  for (const kind of ["network", "volume"]) {
    const found = (await docker(kind, "ls", "--quiet", "--filter", LABEL)).split("\n").filter(Boolean);
    if (found.length > 0) await docker(kind, "rm", ...found);
  }
  await docker("rmi", "--force", PROJECT);
}
