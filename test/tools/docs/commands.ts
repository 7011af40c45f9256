// Every command that a document shows, and how the tests run it. A command without a row fails test/system/docs.test.ts, and so does
// a row without a command. Where a row says `instead`, a smaller number or a free port stands in; nothing else differs.

import { documents, read } from "../docs.ts";

export interface Command {
  /**
   * `processes`: in test/system/docs.test.ts, against `npm start` in a copy of the checkout. `compose`: in test/docker/docs.test.ts, on
   * a real engine. `ci`: `.ci/run` itself runs it. A path: that test does.
   */
  readonly by: "processes" | "compose" | "ci" | `test/${string}`;
  /** What is run in its place. */
  readonly instead?: string;
  /** A line that it has to write. */
  readonly says?: RegExp;
  /** What it shows takes a moment: it is asked again until it says so. */
  readonly settles?: true;
  /** It runs until it is told to stop, which the test does when it has said so. */
  readonly endless?: true;
  /** Its exit code; 0 when absent. */
  readonly code?: number;
}

const ctl = (words: string) => `docker compose exec watchdog node watchdogctl.js ${words}`;
const laidOver = (example: string, words: string) =>
  `docker compose -f docker-compose.yml -f examples/${example}/compose.yaml ${words}`;

/** Their commands, in the order of their READMEs. */
const EXAMPLES = "test/docker/examples.test.ts";

const WATCHDOG_READY = /"role":"watchdog".*"event":"ready"/;

export const commands: Readonly<Record<string, Command>> = {
  "docker stack deploy -c deploy/swarm/stack.yaml evenkeel": { by: "test/docker/swarm/stack.test.ts" },
  "npm run test:swarm": { by: "test/docker/swarm/stack.test.ts" },
  "docker compose up --build --wait": { by: "compose" },
  "docker compose exec client node client.js 7": {
    by: "compose",
    says: /^client 7: served by server-\d through proxy-\d in /,
  },
  "docker compose kill server-4": { by: "compose" },
  "docker compose exec client node client.js 7 --count 600": {
    by: "compose",
    says: /^client 7: 600 answered, 0 failed/,
  },
  "docker compose exec client node client.js 7 --requests 10000 --concurrency 50": {
    by: "compose",
    instead: "docker compose exec client node client.js 7 --requests 1000 --concurrency 50",
    says: /^client 7: 1000 answered, 0 failed/,
  },
  "docker compose exec client node client.js 7 --duration 30s --rate 500 --json": {
    by: "compose",
    instead: "docker compose exec client node client.js 7 --duration 2s --rate 50 --json",
    says: /^ {2}"failed": 0,/,
  },
  // Without a terminal nobody can tell it in its container to end.
  "docker compose exec client node client.js 7 --watch": {
    by: "compose",
    instead: "docker compose exec client node client.js 7 --watch --duration 3s",
    says: /^1 s {2}\d+ answered, 0 failed {2}server-\d \d+/,
  },
  "docker compose ps --format 'table {{.Service}}\\t{{.Status}}' server-4": {
    by: "compose",
    says: /^server-4 +Up /,
    settles: true,
  },
  [ctl("status")]: { by: "compose", says: /^9 of 9 members serve, /, settles: true },
  [ctl("top")]: { by: "compose", says: / {2}(SERVING|DEGRADED) {2}\d of 9 members serve/ },
  [ctl("status --watch")]: { by: "test/system/top.test.ts" },
  [ctl("incidents")]: { by: "compose", says: /^ +1 .* server-4 +healed /, settles: true },
  [ctl("incidents --slot server-4 --limit 5")]: { by: "compose", says: /^ +1 .* server-4 +healed /, settles: true },
  [ctl("incidents 1")]: { by: "compose", says: /^incident 1: server-4 healed in /, settles: true },
  [ctl("hold server-3")]: { by: "compose", says: /^server-3 is held/ },
  [ctl("release server-3")]: { by: "compose", says: /^server-3 is released/ },
  [ctl("heal server-3")]: { by: "compose", says: /^server-3 is to be replaced/ },
  [ctl("weight server-3 0")]: { by: "compose", says: /^server-3 gets no requests while others of its pool serve/ },
  [ctl("weight server-3 default")]: { by: "compose", says: /^server-3 has the weight of its label again/ },
  [ctl("pause server-3")]: { by: "compose", says: /^server-3 is paused/ },
  [ctl("resume server-3")]: { by: "compose", says: /^server-3 is resumed/ },
  [ctl("doctor")]: { by: "compose", says: /^14 ok, 0 warnings, 0 faults/, settles: true },
  "CHAOS=yes docker compose up -d --wait watchdog": { by: "compose" },
  "docker compose exec watchdog node chaos.js --minutes 5 --seed 7": {
    by: "compose",
    instead: "docker compose exec watchdog node chaos.js --seconds 10 --seed 7",
    says: /^passed: no GET failed, and everything recovered/,
  },
  // In a container of its own no watchdog is at its side, which is what it then finds.
  "docker compose run --rm --no-deps watchdog node watchdogctl.js doctor": {
    by: "compose",
    says: /^fault +watchdog +nobody answers at /,
    code: 1,
  },
  "docker compose exec watchdog sh -c 'cat /sys/fs/cgroup/cpu.stat || cat /sys/fs/cgroup/cpuacct/cpuacct.usage'": {
    by: "compose",
    says: /\d{6,}$/,
  },
  "curl -s http://127.0.0.1:8404/api/v1/state": { by: "compose", says: /^\{"registry":\{"version":/ },
  "curl -s http://127.0.0.1:8404/api/openapi.json": { by: "compose", says: /^\{"openapi":"3\.1\.1"/ },
  "curl -s -X POST -H 'Content-Type: application/json' http://127.0.0.1:8404/api/v1/slots/server-3/heal": {
    by: "processes",
    says: /"kind":"heal","subject":"server-3","status":"accepted"/,
  },
  "curl -s 'http://127.0.0.1:8404/api/v1/incidents?limit=5'": { by: "compose", says: /^\{"incidents":\[\{"number":/ },
  "curl -s http://127.0.0.1:8404/sd/targets": { by: "compose", says: /^\[\{"targets":\["/ },
  "curl -s http://127.0.0.1:8404/metrics/all": {
    by: "compose",
    says: /^evenkeel_member_scraped\{member="server-6",.*\} 1$/m,
  },
  "docker compose down -v": { by: "compose" },
  "cp examples/settings/.env .env": { by: "compose" },
  // Their images come from a registry that not every machine reaches.
  "docker compose --profile observability up --build --wait": {
    by: "compose",
    instead: "docker compose --profile observability config --quiet",
  },
  "docker compose config --format json | docker compose exec -T watchdog node watchdogctl.js check": {
    by: "compose",
    says: /0 warnings, 0 faults/,
  },
  [laidOver("own-image", "up --build --wait")]: { by: "compose" },
  [laidOver("own-image", "exec client node client.js 7 --count 60")]: {
    by: "compose",
    says: /^ {2}app\S* +\d+ /,
    settles: true,
  },
  [laidOver("own-image", "kill app")]: { by: "compose" },
  [laidOver("own-image", "ps app")]: { by: "compose", says: / Up /, settles: true },
  [laidOver("own-image", "down -v")]: { by: "compose" },

  // In the folder of an example.
  "curl -s 'http://127.0.0.1:8080/?client=7'": { by: EXAMPLES, says: /^\{"client":"7","server":"\w+"/, settles: true },
  "docker compose ps -q app | head -1 | xargs docker kill": { by: EXAMPLES },
  "docker compose ps -q app | xargs docker kill": { by: EXAMPLES },
  [ctl("incidents --limit 5")]: { by: EXAMPLES, says: /^ +\d+ .* app-\d +healed /, settles: true },
  "VERSION=2 docker compose up --no-start --no-recreate --scale app=4 app": { by: EXAMPLES },
  [ctl("roll app")]: { by: EXAMPLES, says: /^app {2}rolled$/ },
  [ctl("heal chat-1")]: { by: EXAMPLES, says: /^chat-1 is to be replaced/ },
  "docker compose up --build --detach": { by: EXAMPLES },
  "docker compose logs --no-log-prefix migrate": { by: EXAMPLES, says: /migrated from schema 0 to 2$/ },
  "docker compose exec balancer node client.js 7 --count 300": {
    by: EXAMPLES,
    says: /^client 7: 300 answered, 0 failed/,
  },

  "npm run bench:recovery": {
    by: "compose",
    instead: "npm run bench:recovery -- --kills 1 --hangs 1",
    says: /^killed, back in traffic +1 times/,
  },

  "npm ci && npm start": { by: "processes", instead: "npm start", says: WATCHDOG_READY, endless: true },
  "npm start": { by: "processes", says: WATCHDOG_READY, endless: true },
  "npm --prefix ../evenkeel start -- --servers 4 --command 'node app.js' --port-env PORT": {
    by: "processes",
    instead:
      "cd examples/own-image && npm --prefix ../.. start -- --servers 4 --command 'node server.mjs' --port-env PORT",
    says: WATCHDOG_READY,
    endless: true,
  },
  "npm run client -- 7": { by: "processes", says: /^client 7: served by server-\d through proxy-\d in / },
  "npm run ctl -- status": { by: "processes", says: /^9 of 9 members serve, /, settles: true },
  "npm run ctl -- doctor": { by: "processes", says: /^\d+ ok, 0 warnings, 0 faults/, settles: true },
  "npm run chaos -- --minutes 5": {
    by: "processes",
    instead: "npm run chaos -- --seconds 5",
    says: /^passed: no GET failed, and everything recovered/,
  },
  "npm run build": { by: "processes" },
  "ROLE=proxy ID=proxy-1 GROUP=1 PORT=8081 ADMIN_PORT=9101 REGISTRY_FILE=r.json node dist/services/main.js": {
    by: "processes",
    instead: "ROLE=proxy ID=proxy-1 GROUP=1 PORT=0 ADMIN_PORT=0 REGISTRY_FILE=r.json node dist/services/main.js",
    says: /"event":"listening"/,
    endless: true,
  },
  "npm run docs": { by: "processes" },
  "node --import tsx --test test/watchdog/plan.test.ts": { by: "processes", says: /^# fail 0$|^ℹ fail 0$/ },
  "npm run clean": { by: "processes" },

  "npm ci": { by: "ci" },
  "npm run check": { by: "ci" },
  "npm test": { by: "ci" },
  "npm run soak -- --short": { by: "test/system/soak.test.ts" },
  "npm run soak:rounds -- --minutes 0.4": { by: "test/system/soak.test.ts" },
  "npm run bench -- --short": { by: "ci" },
  "npm run bench -- --rounds 3 --seconds 3 --warm 8 --json run.json": { by: "test/system/bench.test.ts" },
  "npm run bench -- --from run.json --plots docs/plots": { by: "test/system/bench.test.ts" },
};

/** Of the commands in the documents, those that are run so, in no order. */
export function commandsBy(by: Command["by"]): string[] {
  return Object.keys(commands).filter((command) => commands[command]?.by === by);
}

/** Every command that stands in a document: behind a `$` in a console block, or on a line of a shell block. */
export async function documentedCommands(): Promise<ReadonlySet<string>> {
  const texts = await Promise.all(documents().map(read));
  return new Set(texts.flatMap(commandsIn));
}

export function commandsIn(document: string): string[] {
  const blocks = [...document.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, language, text]) => {
    const lines = (text as string).split("\n");
    if (language === "console") return lines.filter((line) => line.startsWith("$ ")).map((line) => bare(line.slice(2)));
    return ["sh", "bash", "shell"].includes(language as string) ? lines.map(bare).filter(Boolean) : [];
  });
}

const bare = (line: string) => line.replace(/(?:^|\s{2,})#.*$/, "").trim();
