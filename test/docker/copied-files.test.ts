// What Compose copies into a container before it starts, secrets and configs given as `content:` or `environment:`, is there after
// whatever a heal can still find: on a real engine, through the guardian's filter.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type FileFacts, isCopied } from "../../watchdog/engines/docker/twin/copied-files.ts";
import { containersOf, inspect, PROJECT } from "../tools/docker/containers.ts";
import { docker, dockerSkip as skip } from "../tools/docker/docker.ts";
import { bringUp } from "../tools/docker/stage.ts";
import { startWatchdog, type WatchdogProcess } from "../tools/docker/watchdog.ts";
import { eventually } from "../tools/eventually.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const HEALS_WITHIN_MS = 30_000;
const APP =
  'require("http").createServer((q, s) => s.end("app")).listen(3000); require("fs").writeFileSync("/tmp/own", "x")';
const COMPOSE_FILE = `
name: ${PROJECT}
x-app: &app
  image: ${PROJECT}
  init: true
  user: root
  entrypoint: [node, -e, ${JSON.stringify(APP)}]
  healthcheck: { disable: true }
  labels: { evenkeel.port: "3000", evenkeel.pool: app }
services:
  one:
    <<: *app
    configs: [{ source: note, target: /etc/deep/note.txt }]
  several:
    <<: *app
    deploy: { replicas: 2 }
    secrets: [word]
  plain: *app
configs: { note: { content: keep me } }
secrets: { word: { environment: PATH } }
`;

const scope = fileScope();
let watchdog: WatchdogProcess;

before(async () => {
  if (skip !== false) return;
  await bringUp(scope, COMPOSE_FILE);
  watchdog = await startWatchdog(scope, { directory: await temporaryDirectory(scope) });
});

const faults: readonly [what: string, act: (id: string) => Promise<unknown>][] = [
  ["is killed", (id) => docker("kill", id)],
  ["hangs", (id) => docker("exec", id, "sh", "-c", "kill -STOP $(cat /proc/1/task/1/children)")],
];

for (const [slot, service, file] of [
  ["one-1", "one", "/etc/deep/note.txt"],
  ["several-2", "several", "/run/secrets/word"],
] as const) {
  for (const [what, act] of faults) {
    test(`${slot}, into which Compose copied ${file}, is started again when it ${what}`, { skip }, async () => {
      const id = await watchdog.serves(slot);
      const given = await docker("exec", id, "cat", file);
      const { StartedAt } = await stateOf(id);
      await act(id);
      await eventually(`${slot} runs anew`, async () => (await stateOf(id)).StartedAt !== StartedAt, HEALS_WITHIN_MS);
      assert.equal(await watchdog.serves(slot), id);
      assert.equal(await docker("exec", id, "cat", file), given);
      assert.equal((await containersOf(service)).length, service === "one" ? 1 : 2);
    });
  }
}

test("one that wrote its files itself gets a twin", { skip }, async () => {
  const id = await watchdog.serves("plain-1");
  await docker("kill", id);
  assert.notEqual(await watchdog.serves("plain-1", id), id);
});

const times = { Created: "2026-11-27T22:25:33.609129363Z", State: { StartedAt: "2026-11-27T22:25:33.978438949Z" } };
const copied: FileFacts = { size: 7, mode: 0o444, mtime: "2026-11-27T22:25:34Z" };
const others: readonly [what: string, changes: Partial<FileFacts>][] = [
  ["the place of a mount", { size: 0 }],
  ["a directory", { mode: 0o20000000755 }],
  ["what it wrote itself", { mtime: "2026-11-27T22:25:34.130158168Z" }],
  ["what it unpacked with older times", { mtime: "2026-10-01T00:00:00Z" }],
  ["what it wrote later", { mtime: "2026-11-27T22:25:35Z" }],
];

test("what Compose copied is known by its time", () => assert.equal(isCopied(copied, times), true));

for (const [what, changes] of others)
  test(`${what} was not copied`, () => assert.equal(isCopied({ ...copied, ...changes }, times), false));

async function stateOf(id: string): Promise<{ readonly StartedAt: string }> {
  return ((await inspect(id)) as unknown as { State: { StartedAt: string } }).State;
}
