// Orders where Swarm starts and replaces members: what is Swarm's to do is refused with the line to type, and weights are ours.

import { serviceOf } from "../desired/slot.ts";
import type { SlotState } from "../rules/slot-state.ts";
import type { Controls, OrderAnswer, Rolls, Scales } from "./order-routes.ts";
import type { RollRow } from "./schema.ts";

interface ObservedOrders {
  readonly controls: Controls;
  readonly rolls: Rolls;
  readonly scales: Scales;
}

interface ObservedParts {
  readonly stack: string;
  /** Those of our own healing, of which weights are left. */
  readonly controls: Controls;
  /** The updates that Swarm carries out. */
  readonly rolls: () => readonly ObservedUpdate[];
  readonly slotStates: () => readonly SlotState[];
}

type ObservedUpdate = Pick<RollRow, "service" | "phase" | "order" | "parallel"> & {
  readonly reason?: string;
  readonly slots: readonly Pick<RollRow["slots"][number], "slot" | "rolled">[];
};

export function observedOrders({ stack, controls, rolls, slotStates }: ObservedParts): ObservedOrders {
  const byHand = (what: string, line: string): OrderAnswer => ({ ok: false, status: 409, reason: `${what}: ${line}` });
  const update = (service: string) => `docker service update --force ${stack}_${service}`;
  const noHold = () =>
    byHand("Swarm replaces members, and cannot be told to wait", "docker service scale, or docker node update");
  return {
    controls: {
      ...controls,
      heal: (slot) => {
        const found = slotStates().find(({ slot: { id } }) => id === slot);
        // The answer about one that is not there is the same.
        return found === undefined
          ? controls.heal(slot)
          : byHand("Swarm replaces members", update(serviceOf(found.slot)));
      },
      hold: noHold,
      pause: noHold,
    },
    rolls: {
      order: async (service, to) =>
        to === "former"
          ? byHand("Swarm keeps the version before", `docker service rollback ${stack}_${service}`)
          : byHand("Swarm rolls out versions", `${update(service)}, with --image for another one`),
      rows: () => {
        const states = new Map(slotStates().map((slotState) => [slotState.slot.id, slotState]));
        return rolls().map((roll) => rollRow(roll, states));
      },
    },
    scales: {
      order: (service, replicas) => byHand("Swarm scales", `docker service scale ${stack}_${service}=${replicas}`),
      rows: () => [],
    },
  };
}

function rollRow({ reason, ...roll }: ObservedUpdate, states: ReadonlyMap<string, SlotState>): RollRow {
  const slots = roll.slots.map(({ slot, rolled }) => {
    return { slot, rolled, busy: states.get(slot)?.probed?.kind !== "passed" };
  });
  const rolled = slots.filter((each) => each.rolled);
  return {
    ...roll,
    to: "sample",
    orderReason: null,
    sample: rolled[0]?.slot ?? "its first task",
    reason: reason ?? null,
    paused: false,
    rolled: rolled.length,
    of: slots.length,
    slots,
  };
}
