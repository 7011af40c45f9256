// What people get wrong about an app of their own, on a real engine: each mistake has its clear line in `watchdogctl status`, and in
// `doctor` with what to do.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { type OwnApp, ownApp } from "../tools/compose/app.ts";
import { repository, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { fileScope } from "../tools/scope.ts";

const WITHIN_MS = 60_000;

const service = (name: string, listen: string, labels: string) => `
  ${name}:
    image: node:26-bookworm-slim
    init: true
    command: [node, -e, "http.createServer((q, r) => r.writeHead(q.url === '/' ? 200 : 404).end()).listen(${listen})"]
    labels: { ${labels}, evenkeel.path: /${name}, evenkeel.start: 2s }`;
const extended = (name: string) =>
  `\n  ${name}: { extends: { file: ${join(repository, "evenkeel.yaml")}, service: ${name} } }`;

const COMPOSE_FILE = `services:${service("port", "3000", 'evenkeel.port: "4000"')}${service(
  "loopback",
  "3000, '127.0.0.1'",
  'evenkeel.port: "3000"',
)}${service("health", "3000", 'evenkeel.port: "3000", evenkeel.health: /up')}${service(
  "nowhere",
  "3000",
  "evenkeel.role: server",
)}${extended("balancer")}${extended("watchdog")}
volumes: { registry: {} }
`;

const LISTENS =
  /set evenkeel\.port to where it listens, or let it listen on all addresses and not on its own loopback alone/;
/** What is wrong, what `status` says of it, and doctor. */
const mistakes: readonly [slot: string, status: RegExp, doctor: RegExp][] = [
  ["port-1", /nothing listens on port 4000: /, /port-1: nothing listens at \S+:4000$/m],
  ["loopback-1", /nothing listens on port 3000: /, /loopback-1: nothing listens at \S+:3000$/m],
  [
    "health-1",
    /wait: GET \/up answered 404; wanted 200 to 399/,
    /health-1: GET \/up answered 404; wanted 200 to 399$/m,
  ],
  ["nowhere-1", /nothing is exposed; set evenkeel\.port/, /nowhere: nothing is exposed; set evenkeel\.port/],
];

const scope = fileScope();
let app: OwnApp;

before(async () => {
  if (skip !== false) return;
  app = await ownApp(scope);
  await app.write(COMPOSE_FILE);
  await app.must("up", "-d", "--build");
});

const said = async (command: string) =>
  (await app.compose({}, "exec", "-T", "watchdog", "node", "watchdogctl.js", command)).stdout;

for (const [slot, status, doctor] of mistakes) {
  test(`${slot}: status and doctor say what is wrong`, { skip }, async () => {
    let last = "";
    const row = async () => {
      last = (await said("status")).split("\n").find((line) => line.startsWith(`${slot} `)) ?? "no row";
      return status.test(last);
    };
    await eventually(() => `status says ${status}; last: ${last}`, row, WITHIN_MS);
    if (status.source.startsWith("nothing listens")) assert.match(last, LISTENS);
    const finding = async () => {
      last = await said("doctor");
      return doctor.test(last);
    };
    await eventually(() => `doctor says ${doctor}; last: ${last}`, finding, WITHIN_MS);
    if (status.source.startsWith("nothing listens")) assert.match(last, LISTENS);
  });
}
