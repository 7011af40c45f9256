// Pure. The seam between chaos and what runs the members, in our own words: which faults there are, and how one is done to the
// member that fills a slot. Two adapters: faults-docker.ts and faults-process.ts. When and to whom is schedule.ts's.

export const faultKinds = ["kill", "stop", "pause", "hang", "remove"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One fault, ready to be done to the member that fills the slot now. */
export interface Fault {
  /** Rejects when it could not be done. */
  readonly inflict: () => Promise<void>;
  /** Makes good again what nobody else will: a deliberate stop, a pause. May be called after an `inflict` that failed. */
  readonly undo?: () => Promise<void>;
}

export interface Faults {
  /** Those that exist here. */
  readonly kinds: readonly FaultKind[];
  /** Such as "Docker 29.0.1". */
  readonly engine: string;
  /** Finds the member that fills the slot. @throws when there is none */
  readonly prepare: (kind: FaultKind, slot: string) => Promise<Fault>;
}
