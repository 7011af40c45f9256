// The stack of deploy/swarm on two real engines, under counted load: both nodes serve by servers of both, a task that is killed costs no
// GET, and neither does an update of every server. One deployment for all of it: `npm run test:swarm`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { deployStack, swarmSkip as skip } from "../../tools/docker/swarm.ts";
import { eventually } from "../../tools/eventually.ts";
import { fewClients, loadOn } from "../../tools/load/load.ts";
import { freePort } from "../../tools/ports.ts";

const SERVED = 100;

test("a stack on two nodes", { skip }, async (t) => {
  const stage = await deployStack(t, await freePort());

  await t.test("each node answers on the balancer's port, by servers of both nodes", async () => {
    const nodes = new Map((await stage.tasks("server")).map(({ member, node }) => [member, node]));
    for (const address of await stage.addresses()) {
      const seen = new Set<string | undefined>();
      await eventually(`servers of both nodes by way of ${address}`, async () => {
        const answer = await fetch(`http://${address}:${stage.port}/`, { headers: { connection: "close" } });
        assert.equal(answer.status, 200);
        seen.add(nodes.get(((await answer.json()) as { server: string }).server));
        return seen.size === new Set(nodes.values()).size && seen.size === 2;
      });
    }
  });

  await t.test("a task that is killed, on either node, fails no GET, and its successor serves", async (t) => {
    const load = loadOn(t, stage.port, { get: { perSecond: 100 } });
    await load.more(SERVED);
    const tasks = await stage.tasks("server");
    for (const node of new Set(tasks.map((task) => task.node))) {
      const victim = tasks.find((task) => task.node === node) as (typeof tasks)[number];
      await stage.kill(victim);
      await eventually(`${victim.member} is out of the registry`, async () => {
        return (await stage.members()).every(({ id, state }) => id !== victim.member || state === "down");
      });
      await stage.serves();
    }
    await load.more(SERVED);
    await load.finish();
    assert.deepEqual([...load.get.failed.values()], []);
  });

  await t.test("an update of all servers fails no request, and each was draining before it ended", async (t) => {
    const load = loadOn(t, stage.port, fewClients);
    await load.more(SERVED);
    const before = (await stage.tasks("server")).map(({ member }) => member);
    const drained = new Set<string>();
    const over = new AbortController();
    const watch = async () => {
      while (!over.signal.aborted)
        for (const { id, state } of await stage.members()) if (state === "draining") drained.add(id);
    };
    await Promise.all([watch(), stage.roll("server").finally(() => over.abort())]);
    await stage.serves();
    await load.more(SERVED);
    await load.finish();
    assert.deepEqual([...load.get.failed.values(), ...load.post.failed.values()], []);
    assert.deepEqual(
      before.filter((member) => !drained.has(member)),
      [],
    );
  });

  t.diagnostic(await stage.watchdogLog());
});
