// What an operator may order of a slot, and when it is refused: hold it, release it, put a new member into it. The next round
// of the loop does the rest.

import type { Controls, Order } from "./api/json-api.ts";
import type { History } from "./history.ts";
import type { Situation } from "./situation.ts";

const OK: Order = { ok: true };

export interface OrdersParts {
  readonly history: History;
  readonly situations: () => readonly Situation[];
  /** Called when there is something to do. */
  readonly wake: () => void;
}

export function ordersOf({ history, situations, wake }: OrdersParts): Controls {
  const about = (slot: string, act: (situation: Situation) => Order): Order => {
    const situation = situations().find(({ slot: { id } }) => id === slot);
    if (situation !== undefined) return act(situation);
    const ids = situations().map(({ slot: { id } }) => id);
    return { ok: false, status: 404, reason: `there is no slot ${slot}: there are ${ids.join(", ")}` };
  };
  return {
    hold: (slot) =>
      about(slot, () => {
        history.hold(slot);
        wake();
        return OK;
      }),
    release: (slot) =>
      about(slot, () => {
        history.release(slot);
        wake();
        return OK;
      }),
    heal: (slot) =>
      about(slot, (situation) => {
        const reason = whyNoHeal(situation);
        if (reason !== undefined) return { ok: false, status: 409, reason };
        history.order(slot);
        wake();
        return OK;
      }),
  };
}

function whyNoHeal({ slot: { id }, held, healing, wish, found }: Situation): string | undefined {
  if (held !== undefined) return `${id} is held: release it first`;
  if (healing || found?.succeeds !== undefined) return `${id} is being healed already`;
  if (found?.life.kind === "paused") return `${id} is paused: unpause it first`;
  if (wish?.kind === "stopped" && found?.life.kind !== "running")
    return `${id} was stopped on purpose: start it instead`;
  return undefined;
}
