// Waits until nothing is under way at a member that is on its way out of traffic: its tiers are asked, by their metrics, once they follow
// the registry that takes it out. Whoever does not answer has nothing under way that would be lost by it.

import { setTimeout as delay } from "node:timers/promises";
import { authorityOf } from "../../services/runtime/address.ts";
import { readWithin } from "../../services/runtime/bounded-read.ts";
import { nowMs } from "../../services/runtime/clock.ts";
import type { SlotState } from "../rules/slot-state.ts";
import type { RegistryWriter } from "./registry-writer.ts";

/** The admin address of a tier. */
export interface FrontTier {
  readonly host: string;
  readonly adminPort: number;
}

export interface DrainWatch {
  readonly member: string;
  /** Those that may send requests to it. */
  readonly tiers: readonly FrontTier[];
  /** The version of the registry that takes it out; undefined: there is none yet. */
  readonly version: () => number | undefined;
  readonly limitMs: number;
  readonly stop: AbortSignal;
}

/** The tiers among these, as far as it is known where they are. */
export function frontsOf(states: readonly SlotState[]): FrontTier[] {
  return states.flatMap(({ slot: { role }, found }) => {
    const { host, ports, life } = found ?? {};
    const isTier = (role === "balancer" || role === "proxy") && life?.kind === "running";
    return isTier && host !== undefined && ports?.adminPort !== undefined ? [{ host, adminPort: ports.adminPort }] : [];
  });
}

/** Where no tier can be asked, so long is waited. */
const UNASKED_MS = 2_000;
const ASK_EVERY_MS = 100;
const ANSWER_MS_MAX = 1_000;
/** Some sixty series for each member of each pool, of a hundred bytes each. */
const ANSWER_BYTES_MAX = 16 * 1_048_576;

/** Never rejects. @returns false when the time was over before the requests were */
export async function drained({ member, tiers, version, limitMs, stop }: DrainWatch): Promise<boolean> {
  const untilMs = nowMs() + (tiers.length === 0 ? Math.min(limitMs, UNASKED_MS) : limitMs);
  while (nowMs() < untilMs && !stop.aborted) {
    await delay(Math.min(ASK_EVERY_MS, Math.max(1, untilMs - nowMs())), undefined, { signal: stop }).catch(() => {});
    const from = version();
    if (tiers.length === 0 || from === undefined) continue;
    const answers = await Promise.all(tiers.map((tier) => metricsOf(tier, stop)));
    if (answers.every((text) => text === undefined || isIdle(text, member, from))) return true;
  }
  return false;
}

/** By a tier's metrics: of every pool that has the member. */
export function isIdle(text: string, member: string, version: number): boolean {
  const lines = text.split("\n");
  const ofVersion = lines.filter((line) => line.startsWith("evenkeel_registry_version ")).map(valueAt);
  if (!ofVersion.some((value) => value >= version)) return false;
  const its = `evenkeel_upstream_requests_in_flight{upstream="${member}",`;
  return !lines.some((line) => line.startsWith(its) && valueAt(line) > 0);
}

function valueAt(line: string): number {
  return Number(line.slice(line.lastIndexOf(" ")));
}

/** The registry's version, once nothing new goes to the slot by it. */
export function versionWithout({ registry: { version, members } }: RegistryWriter, slot: string): number | undefined {
  return members.some(({ id, state }) => id === slot && state === "serving") ? undefined : version;
}

async function metricsOf({ host, adminPort }: FrontTier, stop: AbortSignal): Promise<string | undefined> {
  const url = new URL(`http://${authorityOf(host, adminPort)}/metrics`);
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(ANSWER_MS_MAX)]);
    const { body } = await fetch(url, { signal });
    return body === null ? undefined : (await readWithin(body, ANSWER_BYTES_MAX))?.toString();
  } catch {
    return undefined;
  }
}
