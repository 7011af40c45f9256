// What one turn of one stack gave. A scenario of several parts, such as one slice after another, gives one sample for each.

export const figures = [
  "requestsPerSecond",
  "cpuUs",
  "p50Ms",
  "p99Ms",
  "residentMb",
  "balancerMb",
  "proxyMb",
  "grownMb",
  "failedShare",
  "goodShare",
  "rejectedShare",
  "lostShare",
  "rejectedP99Ms",
  "bytesPerConnection",
  "balancerBytesPerConnection",
  "megabytesPerSecond",
] as const;
export type Figure = (typeof figures)[number];
export type Figures = Readonly<Partial<Record<Figure, number>>>;

export interface Sample {
  readonly scenario: string;
  /** The part of the scenario, such as "4x" or "0-3 s"; empty for the whole. */
  readonly part: string;
  readonly stack: string;
  readonly round: number;
  readonly figures: Figures;
  /** Answers that were not what they had to be, in words; empty when all were. */
  readonly wrong: readonly string[];
}

/** A sample without the names that the run alone knows. */
export type Part = Omit<Sample, "scenario" | "stack" | "round">;
