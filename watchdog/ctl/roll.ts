// Follows a roll that it has ordered, until that is over: to a sample, without one to a newer image, or back to the version before. A line
// whenever something changes, JSON lines for scripts. Exit code 0: done; 1: refused, or nothing was changed; 3: all is as it was before; 4: the way back failed too.

import { setTimeout as delay } from "node:timers/promises";
import { print } from "../../services/command-line/command-line.ts";
import { plain } from "../../services/command-line/text-table.ts";
import { complain, exitCode } from "../../services/runtime/exit.ts";
import type { ApiClient } from "../api/client.ts";
import type { RollRow } from "../api/schema.ts";
import { reasonOf } from "./ask.ts";
import { follow, type Shown, untilItHasLooked } from "./follow.ts";

const LOOK_EVERY_MS = 250;
const SAMPLE_LOOKS = 12;
const NOT_NOW = 409;
const CODES = { done: 0, failed: exitCode.failed, "rolled-back": 3, paused: 4 } as const;
const WORDS = {
  failed: "not rolled, nothing was changed",
  "rolled-back": "rolled back, all is as it was before",
  paused: "paused: some are new and some are old, and neither goes on; look at status and incidents",
} as const;

const DONE = {
  sample: "rolled",
  image: "rolled to the newer image, with the configuration that it had",
  former:
    "rolled back to the version before; your Compose file and image are the later ones still: the next docker compose up makes those again",
} as const;

export interface RollWanted {
  readonly service: string;
  readonly to: RollRow["to"];
}

export async function roll(api: ApiClient, { service, to }: RollWanted, shown: Shown): Promise<number> {
  const { at, json } = shown;
  await untilItHasLooked(api);
  const ordered = await (to === "sample" ? orderedToNew(api, service) : api.roll(service, to));
  if (ordered.kind !== "read") return complain(plain(reasonOf(ordered, at)), exitCode.failed);
  const look = async () => {
    const rolls = await api.rolls();
    return rolls.kind === "read" ? rolls.document.rolls.find((each) => each.service === service) : undefined;
  };
  const begun = json ? undefined : await look();
  if (begun?.orderReason) print(`${service}  ${plain(begun.orderReason)}; using stop-first`);
  const codeOf = ({ phase }: RollRow) => (phase === "rolling" || phase === "rolling-back" ? undefined : CODES[phase]);
  return follow({ look, lineOf, codeOf, json });
}

/** To the sample that Compose has made; where there is none, to what the image's name means by now. */
async function orderedToNew(api: ApiClient, service: string) {
  let ordered = await api.roll(service, "sample");
  // What Compose has made a moment ago the watchdog's next look sees.
  for (let looks = 0; looks < SAMPLE_LOOKS && ordered.kind === "refused" && ordered.status === NOT_NOW; looks += 1) {
    await delay(LOOK_EVERY_MS);
    ordered = await api.roll(service, "sample");
  }
  if (ordered.kind !== "refused" || ordered.status !== NOT_NOW) return ordered;
  const toImage = await api.roll(service, "image");
  if (toImage.kind !== "refused" || toImage.reason === ordered.reason) return toImage;
  return { ...ordered, reason: `${ordered.reason}; and ${toImage.reason}` };
}

function lineOf({ service, to, phase, sample, reason, paused, rolled, of, slots }: RollRow): string {
  const why = reason === null ? "" : `: ${plain(reason)}`;
  if (phase === "done") return `${service}  ${DONE[to]}`;
  if (phase !== "rolling" && phase !== "rolling-back") return `${service}  ${WORDS[phase]}${why}`;
  const busy = slots.find((slot) => slot.busy)?.slot;
  const at = busy === undefined ? (rolled === 0 ? `${sample} is tried` : "") : `${busy} is on its way`;
  const way = phase === "rolling" ? `${rolled} of ${of} are new` : `${of - rolled} of ${of} are as before`;
  const stands = paused && `stands still until "resume ${service}"`;
  return [`${service}  ${way}`, at, stands].filter(Boolean).join(", ") + why;
}
