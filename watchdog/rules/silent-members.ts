// Pure. Whose silence takes a member out of traffic where the engine replaces members by itself, perhaps on several nodes. Nobody is
// taken away for it, so it may be done sooner than a replacement; a shared cause is looked for by node, and not by tier.
//
//   so many of its probes unanswered          | while                                    | then
//   all of a member's                         | another one of its tier serves           | down
//   all of a member's, the last of its tier   |                                          | left, and down at three times as many
//   all of a node's members', any of each     | another node's members answer            | down, all of them at once
//   all of everybody's                        |                                          | left: it is our own sight

import { poolOf } from "../desired/slot.ts";
import { type SlotState, serves } from "./slot-state.ts";

export type Silence =
  | { readonly kind: "down"; readonly reason: string }
  /** It stays as it was: people should look. */
  | { readonly kind: "left"; readonly reason: string };

const PATIENCE_WITH_THE_LAST = 3;

/** @returns by slot, those of which nothing is heard. @param missedMax probes missed in a row that make a member silent */
export function silentMembers(slotStates: readonly SlotState[], missedMax: number): ReadonlyMap<string, Silence> {
  const asked = slotStates.filter(({ found, probed }) => found?.life.kind === "running" && probed !== undefined);
  const isSilent = ({ missed }: SlotState) => missed >= missedMax;
  const nodes = groupsOf(asked, nodeOf);
  const silentNodes = new Set([...nodes].filter(([, on]) => isNodeSilent(on, isSilent)).map(([name]) => name));
  const blind = silentNodes.size === nodes.size;
  const serving = new Set(asked.filter(serves).map(tierOf));
  return new Map(
    asked.flatMap((slotState): [string, Silence][] => {
      const { slot, missed } = slotState;
      const node = nodeOf(slotState);
      const why = unanswered(slotState);
      const says = (kind: Silence["kind"], reason: string): [string, Silence][] => [[slot.id, { kind, reason }]];
      if (blind && asked.length > 1)
        return isSilent(slotState) ? says("left", `no member answers, so it is our own sight: ${why}`) : [];
      if (!blind && silentNodes.has(node)) return says("down", `no member on ${node} answers, and others do: ${why}`);
      if (!isSilent(slotState)) return [];
      const isLast = !serving.has(tierOf(slotState));
      if (isLast && missed < missedMax * PATIENCE_WITH_THE_LAST)
        return says("left", `the last ${slot.role}, asked some more: ${why}`);
      return says("down", why);
    }),
  );
}

/** A node on which one member has missed enough, and every other one has missed its last probe. */
function isNodeSilent(on: readonly SlotState[], isSilent: (slotState: SlotState) => boolean): boolean {
  return on.some(isSilent) && on.every(({ missed }) => missed > 0);
}

const nodeOf = ({ found }: SlotState) => found?.node?.name ?? "";

/** Those that do the same work. */
const tierOf = ({ slot }: SlotState) => `${slot.role} ${poolOf(slot) ?? ""}`;

function unanswered({ missed, probed }: SlotState): string {
  const why = probed?.kind === "silent" ? probed.reason : "no answer";
  return missed === 1
    ? `its last probe went unanswered (${why})`
    : `${missed} probes in a row went unanswered (${why})`;
}

function groupsOf(states: readonly SlotState[], keyOf: (slotState: SlotState) => string): Map<string, SlotState[]> {
  const groups = new Map<string, SlotState[]>();
  for (const slotState of states) {
    const key = keyOf(slotState);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [slotState]);
    else group.push(slotState);
  }
  return groups;
}
