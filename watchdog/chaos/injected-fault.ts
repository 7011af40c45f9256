// Pure. The seam between chaos and what runs the members, in our own words: which faults can be injected, and how one is, into
// the member that fills a slot. It has two adapters: injector-docker.ts and injector-process.ts. schedule.ts says when, and
// into which slot.

export const faultKinds = ["kill", "stop", "pause", "hang", "remove"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One fault, ready to be injected into the member that fills the slot now. */
export interface InjectedFault {
  /** Rejects when it could not be injected. */
  readonly inject: () => Promise<void>;
  /** Takes back what nothing else will: a deliberate stop, a pause. May be called after an `inject` that failed. */
  readonly revert?: () => Promise<void>;
}

export interface FaultInjector {
  /** Those that exist here. */
  readonly kinds: readonly FaultKind[];
  /** Such as "Docker 29.0.1". */
  readonly engine: string;
  /** Finds the member that fills the slot. @throws when there is none */
  readonly prepare: (kind: FaultKind, slot: string) => Promise<InjectedFault>;
}
