// Takes an operator's orders, or says why not: hold a slot, release it, weigh it, put a new member into it; pause a service. The next round of the loop
// carries them out.

import { serviceOf } from "../desired/slot.ts";
import type { OperatorOrders } from "../observe/operator-orders.ts";
import type { SlotState } from "../rules/slot-state.ts";
import type { Controls, OrderAnswer } from "./order-routes.ts";

export interface OrdersParts {
  readonly orders: OperatorOrders;
  readonly slotStates: () => readonly SlotState[];
  /** Called when there is something to do. */
  readonly wake: () => void;
}

export function ordersOf({ orders, slotStates, wake }: OrdersParts): Controls {
  const order = <Rest extends readonly unknown[]>(
    give: (slot: string, ...rest: Rest) => void,
    whyNot: (slotState: SlotState) => string | undefined = () => undefined,
  ) => {
    return (slot: string, ...rest: Rest): OrderAnswer => {
      const slotState = slotStates().find(({ slot: { id } }) => id === slot);
      if (slotState === undefined) return noSlot(slot, slotStates());
      const reason = whyNot(slotState);
      if (reason !== undefined) return { ok: false, status: 409, reason };
      give(slot, ...rest);
      wake();
      return { ok: true };
    };
  };
  const serviceOrder = (give: (service: string) => void, stands: (service: string) => boolean = () => false) => {
    return (service: string): OrderAnswer => {
      const services = [...new Set(slotStates().map(({ slot }) => serviceOf(slot)))];
      if (!services.includes(service) && !stands(service))
        return { ok: false, status: 404, reason: `there is no service ${service}: there are ${services.join(", ")}` };
      give(service);
      wake();
      return { ok: true };
    };
  };
  return {
    pause: serviceOrder((service) => orders.pause(service)),
    // One that nobody fills any more may be paused all the same.
    resume: serviceOrder(
      (service) => orders.resume(service),
      (service) => orders.pauseOf(service) !== undefined,
    ),
    hold: order((slot) => orders.hold(slot)),
    release: order((slot) => orders.release(slot)),
    heal: order((slot) => orders.heal(slot), whyNoHeal),
    weigh: order((slot: string, weight: number | undefined) => orders.weigh(slot, weight), whyNoWeight),
  };
}

function noSlot(slot: string, slotStates: readonly SlotState[]): OrderAnswer {
  const ids = slotStates.map(({ slot: { id } }) => id);
  return { ok: false, status: 404, reason: `there is no slot ${slot}: there are ${ids.join(", ")}` };
}

function whyNoWeight({ slot: { id, role } }: SlotState): string | undefined {
  if (role === "server") return undefined;
  return role === "proxy"
    ? `${id} is a proxy: its share follows from the weights of the servers behind it`
    : `${id} is a ${role}: servers alone have a weight`;
}

function whyNoHeal({ slot, held, healing, intent, found }: SlotState): string | undefined {
  const { id } = slot;
  if (held?.paused) return `${serviceOf(slot)} is paused: resume it first`;
  if (held !== undefined) return `${id} is held: release it first`;
  if (healing || found?.succeeds !== undefined) return `${id} is being healed already`;
  if (found?.life.kind === "paused") return `${id} is paused: unpause it first`;
  if (intent?.kind === "stopped" && found?.life.kind !== "running")
    return `${id} was stopped on purpose: start it instead`;
  return undefined;
}
