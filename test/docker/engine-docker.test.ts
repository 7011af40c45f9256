// The engine contract on a real Docker Engine, and what only containers can show: that Compose still owns what was recreated,
// what a killed watchdog leaves in the middle of a heal, and what the engine's events say of somebody's intent.

import assert from "node:assert/strict";
import { before, type TestContext, test } from "node:test";
import { readSettings } from "../../services/runtime/config.ts";
import { exitCode } from "../../services/runtime/exit.ts";
import { heal } from "../../watchdog/act/replace.ts";
import { openDockerEngine } from "../../watchdog/engines/docker/engine.ts";
import { intentAfter, type StopIntent } from "../../watchdog/rules/stop-intent.ts";
import { containers, containersOf, inspect, nameOf, PROJECT, setOf } from "../tools/docker/containers.ts";
import { docker, dockerSkip } from "../tools/docker/docker.ts";
import { bringUp, type DockerStage, type Project } from "../tools/docker/stage.ts";
import { eventually } from "../tools/eventually.ts";
import { fileScope } from "../tools/scope.ts";
import { engineContract, fill, listed, only, type Running } from "../watchdog/engine.contract.ts";

const scope = fileScope();
const skip = dockerSkip;
const NAME = `/${PROJECT}-server-2-1`;
let project: Project;

before(async () => {
  if (skip === false) project = await bringUp(scope);
});

engineContract({ open: (t) => project.open(t, "server-1"), skip });

const fact = (name: string, holds: (stage: DockerStage, t: TestContext) => Promise<void>) =>
  test(name, { skip }, async (t) => holds(await project.open(t, "server-2"), t));

const running = async (stage: DockerStage) =>
  (await listed(stage, ({ life, ports }) => life.kind === "running" && ports !== undefined)) as Running;

/** A heal in the watchdog's own order of steps, of a member that runs. */
async function healed(stage: DockerStage): Promise<Running> {
  const { instance: replaces } = await running(stage);
  const wanted = { environment: { REGISTRY: '{"a":"b=c"}' } };
  const stop = new AbortController().signal;
  const { runner, slot } = stage;
  const outcome = await heal({
    runner,
    slot,
    replaces,
    stopMs: 1_000,
    removeFirst: false,
    wanted,
    assertMeant: () => {},
    heard: Promise.resolve(),
    stop,
    onStep: () => {},
  });
  assert.ok(outcome.kind === "started", JSON.stringify(outcome));
  await runner.commit(slot.id, 1_000);
  await project.noteVolumes();
  return running(stage);
}

fact("a heal keeps labels, mounts, limits, ports and aliases", async (stage) => {
  const { instance } = await running(stage);
  const before = setOf(await inspect(instance), instance);
  const member = await healed(stage);
  const document = await inspect(member.instance);
  assert.deepEqual(setOf(document, member.instance), before);
  assert.ok(document.Config.Env.includes('REGISTRY={"a":"b=c"}'));
  assert.equal(document.Config.Hostname, member.instance.slice(0, 12));
  assert.equal(await nameOf(member.instance), NAME);
});

fact("each heal gives its member a nonce of its own, which stands in whatever it reports", async (stage) => {
  const nonceOf = async ({ instance }: Running) =>
    (await inspect(instance)).Config.Env.find((entry) => entry.startsWith("REPORT_NONCE="))?.slice(13);
  const nonces = [await nonceOf(await healed(stage)), await nonceOf(await healed(stage))];
  for (const nonce of nonces) assert.match(nonce ?? "", /^[0-9a-f]{32}$/);
  assert.notEqual(nonces[0], nonces[1]);
  const [line = ""] = await stage.discovery.lastLines((await running(stage)).instance, 1);
  assert.equal((JSON.parse(line) as { nonce: string }).nonce, nonces[1]);
});

fact("a heal keeps what is in a volume that has no name", async (stage) => {
  const volumeOf = async ({ instance }: Running) =>
    (await inspect(instance)).Mounts.find(({ Destination }) => Destination === "/var/data")?.Name;
  const before = await volumeOf(await running(stage));
  assert.match(before ?? "", /^[0-9a-f]{64}$/);
  assert.equal(await volumeOf(await healed(stage)), before);
});

fact("Compose finds nothing to do after heals, and nothing of them is left", async (stage) => {
  await healed(stage);
  await healed(stage);
  const plan = await project.compose("--dry-run", "up", "--detach");
  assert.match(plan, new RegExp(`${PROJECT}-server-2-1 +Running`));
  assert.doesNotMatch(plan, /Recreate|Create|Start|Remove|orphan/i);
  assert.equal((await containersOf("server-2")).length, 1);
});

/** The slot's member as the next watchdog finds it. */
const foundNext = async (stage: DockerStage) => {
  const next = await project.reopen(stage);
  const member = await only(next);
  return { next, seen: { instance: member?.instance, succeeds: member?.succeeds, life: member?.life.kind } };
};

fact(
  "a heal that only renamed the previous container is seen by the next watchdog, which goes on from there",
  async (stage) => {
    const { instance } = await running(stage);
    await docker("rename", instance, `${NAME.slice(1)}-aside`);
    const { next, seen } = await foundNext(stage);
    assert.deepEqual(seen, { instance, succeeds: undefined, life: "previous" });
    const { instance: successor } = await fill(next);
    assert.deepEqual(await containersOf("server-2"), [successor]);
    assert.equal(await nameOf(successor), NAME);
  },
);

fact("a heal whose successor was not started is seen by the next watchdog, which can roll it back", async (stage) => {
  const { instance } = await running(stage);
  const successor = await stage.runner.create(stage.slot, { environment: {} });
  await project.noteVolumes();
  const { next, seen } = await foundNext(stage);
  assert.deepEqual(seen, { instance: successor, succeeds: instance, life: "created" });
  await next.runner.remove(successor);
  assert.equal((await running(next)).instance, instance);
  assert.deepEqual(await containersOf("server-2"), [instance]);
  assert.equal(await nameOf(instance), NAME);
});

fact("a heal whose successor was started is seen by the next watchdog, which can commit it", async (stage) => {
  const old = await running(stage);
  const successor = await stage.runner.create(stage.slot, { environment: {} });
  await stage.runner.stop(old.instance, 1_000);
  await stage.runner.start(successor);
  const { next, seen } = await foundNext(stage);
  assert.deepEqual(seen, { instance: successor, succeeds: old.instance, life: "running" });
  await next.runner.commit(next.slot.id, 1_000);
  assert.deepEqual(await containersOf("server-2"), [successor]);
  assert.equal(await nameOf(successor), NAME);
});

fact("a container that went while no watchdog looked is made anew from what the last one kept", async (stage) => {
  const { instance } = await running(stage);
  const { Config } = await inspect(instance);
  await docker("rm", "--force", "--volumes", instance);
  const next = await project.reopen(stage);
  assert.ok((await next.discovery.slots()).some(({ id }) => id === "server-2"));
  assert.equal(await only(next), undefined);
  const member = await fill(next);
  assert.deepEqual((await inspect(member.instance)).Config.Labels, Config.Labels);
  assert.match(await project.compose("--dry-run", "up", "--detach"), new RegExp(`${PROJECT}-server-2-1 +Running`));
});

fact("a container taken away after the watchdog had ended in good order is forgotten", async (stage) => {
  await stage.runner.close();
  await docker("rm", "--force", "--volumes", ...(await containersOf("server-2")));
  const slots = await (await project.reopen(stage)).discovery.slots();
  assert.deepEqual(
    slots.map(({ id }) => id),
    ["server-1"],
  );
});

/** Follows the engine's events of one member from now on. */
async function heard({ discovery }: DockerStage, { instance }: Pick<Running, "instance">, t: TestContext) {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const so = { intent: undefined as StopIntent | undefined, kinds: new Set<string>() };
  await discovery.watch((event) => {
    if (!("instance" in event) || event.instance !== instance) return;
    // The member itself, too, says that it was told to stop.
    so.kinds.add(event.kind === "signalled" ? event.signal : event.kind);
    so.intent = intentAfter(so.intent, event, Date.now());
  }, stop.signal);
  // What has been told by now is of before, and nothing of what follows is lost.
  so.kinds.clear();
  return so;
}

const intents: readonly [string, readonly string[], readonly string[], StopIntent["kind"] | undefined][] = [
  ["docker kill is no stop intent", ["kill"], ["KILL", "died"], undefined],
  ["docker stop is an intent", ["stop"], ["TERM", "died", "stopped"], "stopped"],
  [
    "docker stop that had to kill is an intent",
    ["stop", "--time", "0"],
    ["TERM", "KILL", "died", "stopped"],
    "stopped",
  ],
  ["docker restart leaves no intent", ["restart"], ["TERM", "died", "stopped", "started"], undefined],
];

for (const [what, command, kinds, intent] of intents) {
  fact(`by the engine's events, ${what}`, async (stage, t) => {
    const member = await running(stage);
    const so = await heard(stage, member, t);
    await docker(...command, member.instance);
    await eventually(
      () => `${kinds}, got ${[...so.kinds]}`,
      () => so.kinds.size >= kinds.length || undefined,
    );
    assert.deepEqual([...so.kinds].sort(), [...kinds].sort());
    assert.equal(so.intent?.kind, intent);
  });
}

fact("the watchdog's own stop is no stop intent, but a later one of somebody's is", async (stage, t) => {
  const member = await running(stage);
  const so = await heard(stage, member, t);
  await stage.runner.stop(member.instance, 5_000);
  await docker("start", member.instance);
  await eventually("the word that it started", () => so.kinds.has("started") || undefined);
  assert.deepEqual([...so.kinds], ["started"]);
  await docker("stop", member.instance);
  await eventually(
    () => `the word that it was stopped, after ${[...so.kinds]}`,
    () => so.intent?.kind === "stopped" || undefined,
  );
});

fact(
  "a member's own word that it drains counts as the signal, which a busy engine tells late or not at all",
  async (stage, t) => {
    const member = await running(stage);
    const so = await heard(stage, member, t);
    await docker("exec", member.instance, "sh", "-c", "kill -TERM $(cat /proc/1/task/1/children)");
    await eventually("the word of the signal", () => so.kinds.has("TERM") || undefined);
    assert.equal(so.intent?.kind, "asked");
    await eventually("its end", async () => (await only(stage))?.life.kind === "exited" || undefined);
  },
);

fact("who was stopped shortly before somebody watches is told as well, in order", async (stage, t) => {
  const { instance } = await running(stage);
  await docker("stop", instance);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const kinds: string[] = [];
  await stage.discovery.watch((event) => {
    if ("instance" in event && event.instance === instance) kinds.push(event.kind);
  }, stop.signal);
  // The very last of it may come by the stream that follows.
  const last = () => new Set(kinds.slice(kinds.lastIndexOf("started") + 1));
  await eventually(
    () => `all three words, got ${kinds}`,
    () => last().size === 3 || undefined,
  );
  assert.deepEqual([...last()].sort(), ["died", "signalled", "stopped"]);
});

fact("a restart that no event told of is seen all the same", async (stage) => {
  const sinceMs = async () => {
    const life = (await only(stage))?.life;
    return life?.kind === "running" ? life.sinceMs : 0;
  };
  const before = await sinceMs();
  await docker("restart", (await running(stage)).instance);
  await eventually("a later start", async () => (await sinceMs()) > before || undefined);
});

fact("what a member says before its start is over is heard, but nothing of a run before", async (stage, t) => {
  t.after(async () => void (await docker("rm", "--force", "--volumes", ...(await containersOf("quick")))));
  await project.compose("--profile", "others", "create", "quick");
  const [id = ""] = await containersOf("quick");
  const port = async () => (await stage.discovery.list()).find(({ slot }) => slot === "quick")?.ports?.port;
  const so = await heard(stage, { instance: id }, t);
  for (const run of [1, 2, 3, 4, 5]) {
    so.kinds.clear();
    await docker("start", id);
    await eventually(`run ${run}`, async () => (await port()) === run);
    // Its draining, of 2020, is of before the end of every run but the first, which had none before it.
    assert.equal(so.kinds.has("TERM"), run === 1);
    await docker("kill", id);
    await eventually(`the end of run ${run}`, async () => (await port()) === undefined);
  }
});

fact("a container that could not be started is listed with the engine's reason", async (stage, t) => {
  t.after(async () => void (await docker("rm", "--force", "--volumes", ...(await containersOf("unstartable")))));
  await project.compose("--profile", "others", "create", "unstartable");
  const look = async () => (await stage.discovery.list()).find(({ slot }) => slot === "unstartable")?.life;
  assert.equal((await look())?.kind, "created");
  await docker("start", ...(await containersOf("unstartable"))).catch(() => {});
  const life = await eventually("its reason", async () => {
    const life = await look();
    return life?.kind === "created" && life.error !== undefined ? life : undefined;
  });
  assert.match(life.error ?? "", /no such file/);
});

fact(
  "containers without a label of ours, of one-off runs and of other projects are none of its business",
  async (stage, t) => {
    const before = await stage.discovery.list();
    const theirs = await containers();
    const label = (name: string, value: string) => ["--label", `com.docker.compose.${name}=${value}`];
    const otherProject = [...label("project", `${PROJECT}-other`), ...label("service", "server-9")];
    const other = await docker("create", "--env", "ROLE=server", ...otherProject, "evenkeel");
    t.after(async () => {
      const ours = (await containers()).filter((id) => !theirs.includes(id));
      await docker("rm", "--force", "--volumes", other, ...ours);
    });
    await project.compose("--profile", "others", "create", "bystander");
    await project.compose("run", "--detach", "--no-deps", "server-1");
    assert.equal((await containers()).length, theirs.length + 2);
    assert.deepEqual(await stage.discovery.list(), before);
  },
);

test("without a Compose project it refuses to start, and says what to do", { skip }, async () => {
  const read = readSettings({ ROLE: "watchdog", ENGINE: "docker" });
  assert.ok(read.ok);
  const opened = openDockerEngine(read.settings, () => {});
  await assert.rejects(opened, {
    exitCode: exitCode.settings,
    message: /no part of a Compose project: .*COMPOSE_PROJECT_NAME/,
  });
});

fact("docker compose down leaves nothing of a project whose members were healed", async (stage) => {
  await healed(stage);
  await project.compose("down", "--volumes", "--timeout", "2");
  assert.deepEqual(await project.leftovers(), []);
});
