// What the watchdog relies on in an engine, as facts that both adapters are run through: engine-process.test.ts and
// engine-docker.test.ts each give it an open engine and a slot of real servers to play with.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { heal } from "../../watchdog/act/replace.ts";
import type { Slot } from "../../watchdog/desired/slot.ts";
import type { EngineEvent, Found } from "../../watchdog/engines/discovery.ts";
import type { Engine } from "../../watchdog/engines/engine.ts";
import { fenced } from "../../watchdog/leader/fence.ts";
import { eventually } from "../tools/eventually.ts";

/** An open engine, a slot of role server, and what somebody beside the watchdog can do to a member. */
export interface Stage extends Engine {
  readonly slot: Slot;
  /** Ends it outright. */
  readonly kill: (member: Found) => Promise<void>;
  /** Makes it deaf to every signal but KILL. */
  readonly freeze: (member: Found) => Promise<void>;
  /** Is this very member there still? Its port says nothing of it: another program may have taken it over. */
  readonly isThere: (member: Found) => Promise<boolean>;
}

type Address = Required<Pick<Found, "host" | "ports">>;
export type Running = Found & Address;

export interface Contract {
  readonly open: (t: TestContext) => Promise<Stage>;
  readonly skip: string | false;
}

/** For a member that is told to stop while a request is on its way to it; the others need not wait when a test ends. */
export const GRACE = { DRAIN_GRACE_MS: "500" };
const LISTED_MS_MAX = 15_000;

export function engineContract({ open, skip }: Contract): void {
  const fact = (name: string, holds: (stage: Stage, t: TestContext) => Promise<void>) =>
    test(name, { skip }, async (t) => holds(await open(t), t));

  fact("a member that was created and started runs where it says, and answers there", async (stage) => {
    const member = await fill(stage);
    assert.equal(member.slot, stage.slot.id);
    assert.equal(member.unhealthy, false);
    assert.equal(member.draining, false);
    assert.equal((await fetch(adminUrl(member, "/healthz"))).status, 200);
    const answer = (await (await fetch(trafficUrl(member, "/hello"))).json()) as { server: string };
    assert.equal(answer.server, stage.slot.id);
  });

  fact("a member is created with the environment it is given", async (stage) => {
    const member = await fill(stage, { ADMIN_PORT_RANGE: "9150-9180" });
    const { adminPort = 0 } = member.ports;
    assert.ok(adminPort >= 9150 && adminPort <= 9180, `admin port ${adminPort}`);
  });

  fact("every slot is named, filled or not, and no slot has two members", async (stage) => {
    await fill(stage);
    const ids = (await stage.discovery.slots()).map(({ id }) => id);
    assert.ok(ids.includes(stage.slot.id));
    assert.equal(new Set(ids).size, ids.length);
    const filled = (await stage.discovery.list()).map(({ slot }) => slot);
    assert.equal(new Set(filled).size, filled.length);
    assert.ok(filled.every((id) => ids.includes(id)));
  });

  fact("a member killed from outside is listed as exited, with what it died of", async (stage) => {
    const member = await fill(stage);
    await stage.kill(member);
    const { life, instance } = await listed(stage, ({ life }) => life.kind === "exited");
    assert.equal(instance, member.instance);
    assert.ok(life.kind === "exited" && (life.code === 137 || life.signal === "SIGKILL"), JSON.stringify(life));
    assert.ok(life.kind === "exited" && !life.oom);
  });

  fact("whoever watches is told of a death, by the member's own instance", async (stage, t) => {
    const stop = new AbortController();
    t.after(() => stop.abort());
    const events: EngineEvent[] = [];
    await stage.discovery.watch((event) => events.push(event), stop.signal);
    const member = await fill(stage);
    await stage.kill(member);
    await eventually("the word that it died", () =>
      events.find((event) => event.kind === "died" && event.instance === member.instance),
    );
  });

  fact("a successor that was only created takes the slot, and the one before runs on beside it", async (stage) => {
    const member = await fill(stage);
    // What a heal gives it is also the mark that a watchdog made it.
    const instance = await stage.runner.create(stage.slot, { environment: { REGISTRY: "{}" } });
    const found = await only(stage);
    assert.deepEqual([found?.instance, found?.life.kind, found?.ours], [instance, "created", true]);
    assert.equal(found?.succeeds, member.instance);
    assert.equal((await fetch(adminUrl(member, "/healthz"))).status, 200);
  });

  fact("a heal leaves exactly one member, a new instance that runs, and may be committed twice", async (stage) => {
    const first = await fill(stage);
    await stage.kill(first);
    await listed(stage, ({ life }) => life.kind === "exited");
    const second = await fill(stage);
    assert.notEqual(second.instance, first.instance);
    await stage.runner.commit(stage.slot.id, 1_000);
    const found = await only(stage);
    assert.deepEqual([found?.instance, found?.succeeds], [second.instance, undefined]);
    assert.equal((await fetch(adminUrl(second, "/healthz"))).status, 200);
  });

  fact(
    "a successor removed before its start gives the slot back to the one before, which never stopped",
    async (stage) => {
      const first = await fill(stage);
      await stage.runner.remove(await stage.runner.create(stage.slot, { environment: {} }));
      const found = await listed(stage, ({ instance }) => instance === first.instance);
      assert.deepEqual(found, first);
      assert.equal((await fetch(adminUrl(first, "/healthz"))).status, 200);
    },
  );

  fact(
    "a successor removed before it is committed gives the slot back to the one before, dead as it is",
    async (stage) => {
      const first = await fill(stage);
      await stage.kill(first);
      const successor = await stage.runner.create(stage.slot, { environment: {} });
      await stage.runner.start(successor);
      await stage.runner.remove(successor);
      const found = await listed(stage, ({ life }) => life.kind === "exited");
      assert.equal(found.instance, first.instance);
    },
  );

  fact(
    "no successor is made for another instance than the caller knows of, or for none where there is one",
    async (stage) => {
      const { instance } = await fill(stage);
      const create = (known: string | undefined) =>
        stage.runner.create(stage.slot, { environment: {}, replaces: { instance: known } });
      for (const known of ["another", undefined])
        await assert.rejects(create(known), /somebody has put another one in its place/);
      assert.equal((await only(stage))?.instance, instance);
      const successor = await create(instance);
      assert.equal((await only(stage))?.succeeds, instance);
      await stage.runner.remove(successor);
    },
  );

  fact("a successor is made for one that somebody has removed meanwhile", async (stage) => {
    const { instance } = await fill(stage);
    await stage.discovery.list();
    await stage.runner.remove(instance);
    const successor = await stage.runner.create(stage.slot, { environment: {}, replaces: { instance } });
    assert.equal((await only(stage))?.instance, successor);
    await stage.runner.remove(successor);
  });

  fact("a member that has ended is gone before its successor starts", async (stage) => {
    const dead = await fill(stage);
    await stage.kill(dead);
    await listed(stage, ({ life }) => life.kind === "exited");
    const start = async (instance: string) => {
      assert.equal((await only(stage))?.succeeds, undefined);
      await stage.runner.start(instance);
    };
    const runner = { ...fenced(stage.runner, { held: () => true }), start };
    const outcome = await heal({
      runner,
      slot: stage.slot,
      replaces: dead.instance,
      stopMs: undefined,
      removeFirst: false,
      wanted: { environment: {}, ended: true },
      assertMeant: () => {},
      heard: Promise.resolve(),
      stop: new AbortController().signal,
      onStep: () => {},
    });
    assert.equal(outcome.kind, "started", JSON.stringify(outcome));
  });

  fact("the last lines of a member, dead or alive, are what it wrote last", async (stage) => {
    const member = await fill(stage);
    const lines = () => stage.discovery.lastLines(member.instance, 200);
    const told = await eventually("its first line", async () => (await lines())[0]);
    assert.equal((JSON.parse(told) as { event: string }).event, "listening");
    await stage.kill(member);
    await listed(stage, ({ life }) => life.kind === "exited");
    assert.equal((await lines())[0], told);
    await stage.runner.remove(member.instance);
    assert.deepEqual(await lines(), []);
  });

  fact("a member that is stopped ends its request first, and with code 0", async (stage) => {
    const member = await fill(stage, GRACE);
    const working = fetch(trafficUrl(member, "/work?ms=1000"));
    await stage.runner.stop(member.instance, 10_000);
    assert.equal((await working).status, 200);
    const { life } = await listed(stage, ({ life }) => life.kind === "exited");
    assert.deepEqual(life, { kind: "exited", code: 0, oom: false });
  });

  fact("a member that heeds no signal is ended outright at the deadline", async (stage) => {
    const member = await fill(stage);
    await stage.freeze(member);
    const began = Date.now();
    await stage.runner.stop(member.instance, 1_000);
    const took = Date.now() - began;
    assert.ok(took >= 900 && took < 6_000, `${took} ms`);
    const { life } = await listed(stage, ({ life }) => life.kind === "exited");
    assert.ok(life.kind === "exited" && (life.code === 137 || life.signal === "SIGKILL"), JSON.stringify(life));
  });

  fact("stopping a member that has ended already, or never was started, is no error", async (stage) => {
    const member = await fill(stage);
    await stage.kill(member);
    await stage.runner.stop(member.instance, 5_000);
    await stage.runner.stop(member.instance, 5_000);
    await stage.runner.stop(await stage.runner.create(stage.slot, { environment: {} }), 5_000);
  });

  fact("a member is removed while it runs, and removing it twice is no error", async (stage) => {
    const member = await fill(stage);
    assert.ok(await stage.isThere(member));
    await stage.runner.remove(member.instance);
    await stage.runner.remove(member.instance);
    assert.equal(await only(stage), undefined);
    assert.ok((await stage.discovery.slots()).some(({ id }) => id === stage.slot.id));
    assert.ok(!(await stage.isThere(member)));
  });
}

/** Puts a new member into the slot, as a heal does, and waits until it has said where it listens. */
export async function fill(stage: Stage, environment: Readonly<Record<string, string>> = {}): Promise<Running> {
  const { runner, slot } = stage;
  const instance = await runner.create(slot, { environment: { DRAIN_GRACE_MS: "0", ...environment } });
  await runner.start(instance);
  await runner.commit(slot.id, 1_000);
  const found = await listed(stage, (found) => found.instance === instance && found.ports?.port !== undefined);
  assert.equal(found.life.kind, "running");
  assert.ok(found.host !== undefined && found.ports !== undefined);
  return found as Running;
}

/** The slot's member, once it is like this. */
export function listed(stage: Stage, like: (found: Found) => boolean): Promise<Found> {
  let found: Found | undefined;
  const look = async () => {
    found = await only(stage);
    return found !== undefined && like(found) ? found : undefined;
  };
  return eventually(() => `${stage.slot.id}, ${like}: ${JSON.stringify(found)}`, look, LISTED_MS_MAX);
}

/** The slot's one member, as it is listed now; undefined: nothing fills the slot. */
export async function only({ discovery, slot }: Stage): Promise<Found | undefined> {
  const found = (await discovery.list()).filter((member) => member.slot === slot.id);
  assert.ok(found.length <= 1, `${found.length} members in ${slot.id}`);
  return found[0];
}

export const adminUrl = ({ host, ports }: Address, path: string) => `http://${host}:${ports.adminPort}${path}`;
export const trafficUrl = ({ host, ports }: Address, path: string) => `http://${host}:${ports.port}${path}`;
