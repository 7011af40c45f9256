// Follows a scale that it has ordered, until that is over. Exit code 0: done; 1: refused; 3: undone, all is as it was before.

import { plain } from "../../services/command-line/text-table.ts";
import { complain, exitCode } from "../../services/runtime/exit.ts";
import type { ApiClient } from "../api/client.ts";
import type { ScaleRow } from "../api/schema.ts";
import { reasonOf } from "./ask.ts";
import { follow, type Shown, untilItHasLooked } from "./follow.ts";

const CODES = { done: 0, undone: 3 } as const;

export interface ScaleWanted {
  readonly service: string;
  readonly replicas: number;
}

export async function scale(api: ApiClient, { service, replicas }: ScaleWanted, shown: Shown): Promise<number> {
  const { at, json } = shown;
  await untilItHasLooked(api);
  const ordered = await api.scale(service, replicas);
  if (ordered.kind !== "read") return complain(plain(reasonOf(ordered, at)), exitCode.failed);
  const look = async () => {
    const scales = await api.scales();
    return scales.kind === "read" ? scales.document.scales.find((each) => each.service === service) : undefined;
  };
  const codeOf = ({ phase }: ScaleRow) => (phase === "scaling" || phase === "undoing" ? undefined : CODES[phase]);
  return follow({ look, lineOf: scaleText, codeOf, json });
}

export function scaleText(row: ScaleRow): string {
  const { service, phase, from, to, reason, paused, tookMs, slots } = row;
  const head = `${service}  ${from} -> ${to}  `;
  const took = `${((tookMs ?? 0) / 1_000).toFixed(1)} s`;
  const why = reason === null ? "" : `: ${plain(reason)}`;
  const done = slots.filter((slot) => slot.done).length;
  const stands = paused ? `, stands still until "resume ${service}"` : "";
  switch (phase) {
    case "scaling":
      return `${head}${done} of ${slots.length} ${to > from ? "serve" : "are gone"}${stands}`;
    case "undoing":
      return `${head}is undone${why}${stands}`;
    case "undone":
      return `${head}undone, ${from} as before${why}`;
    case "done":
      if (from === to) return `${head}there are ${to} already`;
      return `${head}${slots.length} ${to > from ? `started, all healthy in ${took}` : `drained and removed in ${took}`}\n${hint(to)}`;
    default:
      return phase satisfies never;
  }
}

function hint(to: number): string {
  return `write "replicas: ${to}" under deploy in your Compose file: the next docker compose up returns to the count that stands there`;
}
