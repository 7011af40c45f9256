// Pure. A replica of a service may be called like another service, whose one member is called like that: the first of `server`, and
// `server-1`. Whose service has that name keeps the slot. The replica gets one of its own, with the fault: neither is taken for the other.

import type { Slot } from "../../../desired/slot.ts";
import { composeLabel } from "../compose-labels.ts";

interface InSlot {
  readonly slot: Slot;
  readonly inspected: { readonly Config: { readonly Labels: Readonly<Record<string, string>> } };
}

export function slotPerService<Listed extends InSlot>(listed: readonly Listed[]): Listed[] {
  const owners = new Set(listed.flatMap((one) => (one.slot.id === composeServiceOf(one) ? [one.slot.id] : [])));
  return listed.map((one) => {
    const { slot } = one;
    if (!owners.has(slot.id) || composeServiceOf(one) === slot.id) return one;
    return { ...one, slot: ofItsOwn(one) };
  });
}

function ofItsOwn({ slot, inspected }: InSlot): Slot {
  const { [composeLabel.service]: service = "", [composeLabel.number]: number = "1" } = inspected.Config.Labels;
  const what = `${slot.id} would be a member of ${service} and of ${slot.id}: rename one of the two services`;
  // No service has such a name.
  return { ...slot, id: `${service}#${number}`, service, faults: [...(slot.faults ?? []), what] };
}

const composeServiceOf = ({ inspected }: InSlot) => inspected.Config.Labels[composeLabel.service] ?? "";
