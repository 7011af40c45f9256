// What is said to an order of a roll to another version, and where it goes then.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log } from "../../services/runtime/log.ts";
import { rollsOf } from "../../watchdog/api/rolls.ts";
import type { OtherVersion } from "../../watchdog/engines/discovery.ts";
import type { Roll } from "../../watchdog/rollout/roll.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { roll, state } from "./replicas.ts";

const [old1, old2, old3] = [state(1, "old"), state(2, "old"), state(3, "old")] as const;
const silently = (() => {}) as unknown as Log;

interface Ordered {
  readonly to?: "former" | "image";
  readonly before?: Roll;
  readonly other?: OtherVersion;
}

/** What is said to an order to go to another version, and where it goes then. */
async function ordered(states: readonly SlotState[], { to = "former", before, other }: Ordered = {}) {
  const rolls = new Map(before ? [["app", before]] : []);
  const asked: string[] = [];
  const answer = async (...words: readonly (string | readonly string[])[]): Promise<OtherVersion> => {
    asked.push(words.flat().join(" "));
    return other ?? { kind: "known", making: "other" };
  };
  const orders = rollsOf({
    versions: { formerVersion: answer, imageVersion: answer },
    state: () => ({ rolls, scales: new Map() }),
    slotStates: () => states,
    log: silently,
    wake: () => {},
  });
  const taken = await orders.order("app", to);
  const roll = rolls.get("app");
  return { said: taken.ok ? `${roll?.sample} of ${roll?.making}, ${roll?.to}` : taken.reason, asked };
}

const said = async (...given: Parameters<typeof ordered>) => (await ordered(...given)).said;

test("an order to go back makes a sample of the version before under the next number, or says why not", async () => {
  assert.deepEqual(await ordered([old1, old2, old3]), { said: "app-4 of other, former", asked: ["app old"] });
  const other = { kind: "none", reason: "of app no other version than this has worked here" } as const;
  assert.equal(await said([old1], { other }), `there is nothing to go back to: ${other.reason}`);
  assert.equal(await said([]), "there are no replicas of app here");
  assert.match(await said([old1, state(2, "new")]), /^the replicas of app are not alike: roll app first/);
  assert.equal(await said([old1], { before: roll }), "app is being rolled already");
  assert.equal(await said([{ ...old1, held: { sinceMs: 0, paused: true } }]), "app is paused: resume it first");
});

test("from a roll that stands still it goes back through the place of that one's sample", async () => {
  const before: Roll = { ...roll, phase: "paused", reason: "app-2: it exited" };
  const left = await ordered([state(1, "new"), old2, state(4, "new")], { before });
  assert.deepEqual([left.said, left.asked], ["app-4 of other, former", ["app new old"]]);
  assert.equal(await said([state(1, "new"), state(2, "new")], { before }), "app-3 of other, former");
});

test("an order to a newer image makes a sample of it like the last replica, or says why not", async () => {
  const states = [state(10, "old"), old2];
  assert.deepEqual(await ordered(states, { to: "image" }), { said: "app-11 of other, image", asked: ["app-10"] });
  const other = { kind: "none", reason: "its image app is still the one that it runs" } as const;
  assert.equal(await said([old1], { to: "image", other }), other.reason);
  assert.match(await said([old1, state(2, "new")], { to: "image" }), /^the replicas of app are not alike: roll app/);
});
