// Orders where Swarm starts and replaces members: what is Swarm's to do is refused with the line to type, and weights are ours.

import { serviceOf } from "../desired/slot.ts";
import type { SlotState } from "../rules/slot-state.ts";
import type { Controls, OrderAnswer, Rolls, Scales } from "./order-routes.ts";

interface ObservedOrders {
  readonly controls: Controls;
  readonly rolls: Rolls;
  readonly scales: Scales;
}

/** @param controls those of our own healing, of which weights are left */
export function observedOrders(
  stack: string,
  controls: Controls,
  slotStates: () => readonly SlotState[],
): ObservedOrders {
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
      rows: () => [],
    },
    scales: {
      order: (service, replicas) => byHand("Swarm scales", `docker service scale ${stack}_${service}=${replicas}`),
      rows: () => [],
    },
  };
}
