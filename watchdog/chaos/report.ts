// Pure. (what a run of chaos recorded) -> its report: faults by kind with how long recovery took, what became of the requests,
// and whether that is a pass. report-text.ts words it for people; as JSON it is for scripts.

import type { TrafficRole } from "../../services/runtime/roles.ts";
import { type FaultKind, faultKinds } from "./injected-fault.ts";
import type { LoadResult } from "./load/load.ts";

export type Recovery =
  /** Its slot serves again; counted from the fault, or from when a stop or a pause was reverted. */
  | { readonly kind: "recovered"; readonly ms: number }
  | { readonly kind: "lost"; readonly afterMs: number }
  /** It could not be started or unpaused again. */
  | { readonly kind: "left"; readonly reason: string }
  /** The fault could not be done. */
  | { readonly kind: "not-done"; readonly reason: string }
  /** Chaos was ended before. */
  | { readonly kind: "not-awaited" };

export interface FaultRecord {
  /** ISO 8601. */
  readonly at: string;
  readonly kind: FaultKind;
  readonly slot: string;
  readonly recovery: Recovery;
  /** From the fault to the last request that failed before recovery; absent: none did. */
  readonly failedForMs?: number;
}

/** All that is known of a run of chaos when it is over. */
export interface ChaosRun {
  readonly seed: number;
  /** Of what took part, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly roles: readonly TrafficRole[];
  readonly rate: number;
  readonly everyMs: number;
  readonly lastedMs: number;
  readonly endedEarly: boolean;
  readonly records: readonly FaultRecord[];
  readonly passedOver: number;
  /** Kinds that were asked for and do not exist here. */
  readonly leftOut: readonly FaultKind[];
  readonly load: LoadResult;
}

export interface KindReport {
  readonly count: number;
  readonly recovered: number;
  /** Null where nothing recovered. */
  readonly recoveryMs: { readonly p50: number; readonly p99: number; readonly max: number } | null;
}

export interface ChaosReport extends Omit<ChaosRun, "records"> {
  readonly passed: boolean;
  /** Why it is no pass, each as one line. */
  readonly objections: readonly string[];
  readonly faults: Readonly<Record<FaultKind | "all", KindReport>>;
  readonly records: readonly FaultRecord[];
}

export function reportOf(run: ChaosRun): ChaosReport {
  const { records } = run;
  const objections = objectionsTo(run);
  const byKind = faultKinds.map(
    (kind) => [kind, kindReport(records.filter((record) => record.kind === kind))] as const,
  );
  const faults = Object.fromEntries([...byKind, ["all", kindReport(records)]]) as ChaosReport["faults"];
  return { ...run, passed: objections.length === 0, objections, faults };
}

function objectionsTo({ records, load, endedEarly }: ChaosRun): string[] {
  const those = (outcome: Recovery["kind"]) =>
    records.filter(({ recovery }) => recovery.kind === outcome).map(({ slot, kind }) => `${slot} (${kind})`);
  const [lost, left] = [those("lost"), those("left")];
  const done = records.some(({ recovery }) => recovery.kind !== "not-done");
  return [
    ...(load.failed > 0 ? [`${load.failed} of ${load.requests} GETs failed`] : []),
    ...(lost.length > 0 ? [`not recovered: ${lost.join(", ")}`] : []),
    ...(left.length > 0 ? [`left as chaos made them, start them yourself: ${left.join(", ")}`] : []),
    ...(done || endedEarly ? [] : ["no fault was done: that proves nothing"]),
  ];
}

function kindReport(records: readonly FaultRecord[]): KindReport {
  const done = records.filter(({ recovery }) => recovery.kind !== "not-done");
  const times = done.flatMap(({ recovery }) => (recovery.kind === "recovered" ? [recovery.ms] : []));
  const sorted = times.sort((one, other) => one - other);
  const recoveryMs = { p50: rank(sorted, 0.5), p99: rank(sorted, 0.99), max: rank(sorted, 1) };
  return { count: done.length, recovered: times.length, recoveryMs: times.length === 0 ? null : recoveryMs };
}

/** The nearest rank: the smallest value that at least this share of all do not exceed. */
function rank(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
