// What Compose copies into a container before it starts, secrets and configs given as `content:` or `environment:`, is there after a
// heal, a move of its port and a roll; where nobody has it any more the incident says so. On a real engine, through the guardian's filter.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { before, test } from "node:test";
import type { Template } from "../../watchdog/engines/docker/twin/templates.ts";
import { containersOf, inspect, PROJECT } from "../tools/docker/containers.ts";
import { docker, dockerSkip as skip } from "../tools/docker/docker.ts";
import { askSocket, filteredSocket } from "../tools/docker/filtered-socket.ts";
import { bringUp, type Project } from "../tools/docker/stage.ts";
import { startWatchdog, type WatchdogProcess } from "../tools/docker/watchdog.ts";
import { eventually } from "../tools/eventually.ts";
import { freePort } from "../tools/ports.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const HEALS_WITHIN_MS = 30_000;
const ROLLS_WITHIN_MS = 60_000;
const NOTE = "/etc/deep/note.txt";
const WORD = "/run/secrets/word";
const APP =
  'require("http").createServer((q, s) => s.end("app")).listen(3000); require("fs").writeFileSync("/tmp/own", "x")';
const scope = fileScope();
const published = await freePort();
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
    ports: ["127.0.0.1:${published}:3000"]
    configs: [{ source: note, target: ${NOTE} }]
    secrets: [word]
  several:
    <<: *app
    environment: { VERSION: "\${VERSION:-1}" }
    deploy: { replicas: 2 }
    secrets: [word]
  plain: *app
configs: { note: { content: keep me } }
secrets: { word: { environment: WORD } }
`;

let project: Project;
let watchdog: WatchdogProcess;
let directory = "";

before(async () => {
  if (skip !== false) return;
  directory = await temporaryDirectory(scope);
  project = await bringUp(scope, COMPOSE_FILE, { WORD: "old" });
  watchdog = await startWatchdog(scope, { directory });
});

const lostBy = async (slot: string) => (await watchdog.changes(slot)).filter((change) => change.startsWith("lost"));

/** Its sample, beside what is there. */
const newVersion = () =>
  project.composeWith(
    { VERSION: "2", WORD: "new" },
    ...["up", "--no-start", "--no-recreate", "--scale", "several=3", "several"],
  );

/** Looking takes the engine half a second each, beside the loop. */
const known = (slot: string, files: readonly string[]) =>
  eventually(`it is known what was copied into ${slot}`, async () => {
    const template = JSON.parse(await readFile(join(directory, `templates/${slot}.json`), "utf8")) as Template;
    return files.every((file) => template.copied?.includes(file));
  });

const kill = (id: string) => docker("kill", id);
const hang = (id: string) => docker("exec", id, "sh", "-c", "kill -STOP $(cat /proc/1/task/1/children)");
const remove = (id: string) => docker("rm", "--force", id);
const read = (id: string, file: string) => docker("exec", id, "cat", file);

const twins: readonly [what: string, slot: string, act: (id: string) => Promise<unknown>, files: readonly string[]][] =
  [
    ["is killed", "one-1", kill, [NOTE, WORD]],
    ["is killed again", "one-1", kill, [NOTE, WORD]],
    ["hangs", "one-1", hang, [NOTE, WORD]],
    ["is removed, from another replica", "several-2", remove, [WORD]],
  ];
for (const [what, slot, act, files] of twins) {
  test(`the twin of ${slot} has what Compose copied into it when it ${what}`, { skip }, async () => {
    const id = await watchdog.serves(slot);
    const given = await Promise.all(files.map((file) => read(id, file)));
    await known(slot, files);
    await act(id);
    const twin = await watchdog.serves(slot, id);
    assert.deepEqual(await Promise.all(files.map((file) => read(twin, file))), given);
    assert.deepEqual(await lostBy(slot), []);
  });
}

for (const [what, act] of [["is killed", kill] as const, ["hangs", hang] as const]) {
  test(`one of several replicas is started again when it ${what}: Compose counts`, { skip }, async () => {
    const id = await watchdog.serves("several-2");
    const given = await read(id, WORD);
    const { StartedAt } = await stateOf(id);
    await act(id);
    await eventually("it runs anew", async () => (await stateOf(id)).StartedAt !== StartedAt, HEALS_WITHIN_MS);
    assert.equal(await watchdog.serves("several-2"), id);
    assert.equal(await read(id, WORD), given);
    assert.equal((await containersOf("several")).length, 2);
  });
}

test("whose port has to move takes them along", { skip }, async (t) => {
  const id = await watchdog.serves("one-1");
  await watchdog.order("/api/slots/one-1/hold");
  await kill(id);
  const other = createServer();
  t.after(() => void other.close());
  await once(other.listen(published, "127.0.0.1"), "listening");
  await watchdog.order("/api/slots/one-1/release");
  const twin = await watchdog.serves("one-1", id);
  assert.notEqual(await docker("port", twin, "3000/tcp"), `127.0.0.1:${published}`);
  assert.equal(await read(twin, NOTE), "keep me");
});

test("the guardian copies what Compose has copied, into what was never started, and nothing else", {
  skip,
}, async (t) => {
  const [source = "", other = ""] = await containersOf("several");
  await newVersion();
  const [sample = ""] = (await containersOf("several")).filter((id) => ![source, other].includes(id));
  const { path, refused } = await filteredSocket(t);
  const copy = (into: string, ...paths: readonly string[]) =>
    askSocket(path, { method: "POST", target: `/v1.45/containers/${into}/copied`, body: { from: source, paths } });
  const own = await copy(sample, WORD, "/tmp/own");
  assert.deepEqual([own.status, own.body], [409, '{"message":"nobody copied /tmp/own there"}']);
  const none = await copy(sample, "/no/such/file");
  assert.deepEqual([none.status, none.body], [409, '{"message":"there is no /no/such/file any more"}']);
  assert.equal((await copy(other, WORD)).status, 403);
  assert.equal((await copy(await watchdog.serves("one-1"), WORD)).status, 403);
  assert.equal((await copy(sample, "relative")).status, 403);
  assert.equal(refused.splice(0).length, 3);
});

test("a roll gives each replica those of the new version", { skip }, async () => {
  const old = await containersOf("several");
  await newVersion();
  const ordered = () =>
    watchdog.order("/api/rolls/several").then(
      () => true,
      () => false,
    );
  await eventually("the sample is seen", ordered, ROLLS_WITHIN_MS);
  const rolled = async () => {
    const ids = await containersOf("several");
    // The sample goes when it is over.
    return ids.length === 2 && !ids.some((id) => old.includes(id)) ? ids : undefined;
  };
  const ids = await eventually("both are new", rolled, ROLLS_WITHIN_MS);
  assert.deepEqual(await Promise.all(ids.map((id) => read(id, WORD))), ["new", "new"]);
});

test("where nobody has them any more, the incident and the log say what is lost, and what to do", {
  skip,
}, async () => {
  const id = await watchdog.serves("one-1");
  await known("one-1", [WORD, NOTE]);
  await remove(id);
  const twin = await watchdog.serves("one-1", id);
  const what = `secrets or configs that Compose had copied in (${WORD}, ${NOTE}): docker compose up -d --force-recreate one`;
  assert.deepEqual(await lostBy("one-1"), [`lost: ${what}`]);
  await watchdog.running.event("files-lost", { slot: "one-1", what });
  await project.compose("up", "--detach", "--force-recreate", "one");
  const mended = await watchdog.serves("one-1", twin);
  assert.equal(await read(mended, NOTE), "keep me");
});

test("one that wrote its files itself takes none along", { skip }, async () => {
  const id = await watchdog.serves("plain-1");
  await kill(id);
  const twin = await watchdog.serves("plain-1", id);
  assert.deepEqual(await lostBy("plain-1"), []);
  assert.equal(await read(twin, "/tmp/own"), "x");
});

async function stateOf(id: string): Promise<{ readonly StartedAt: string }> {
  return ((await inspect(id)) as unknown as { State: { StartedAt: string } }).State;
}
