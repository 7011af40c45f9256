// The report of a run as a document: what was measured, where, every sample and its summary. Written by `--json`, and read again
// by `--from`, so that a run of many parts makes one set of tables and plots.

import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Options } from "./options.ts";
import type { Results } from "./run.ts";
import type { Sample } from "./sample.ts";
import { scenarios } from "./scenarios.ts";
import type { Stack } from "./stacks/stack.ts";
import type { Row } from "./summary.ts";

export interface Report extends Results {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly machine: { readonly processors: number; readonly node: string };
  readonly baseline: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly together: boolean;
  readonly chains: readonly Pick<Stack, "name" | "about">[];
  readonly rows: readonly Row[];
  /** Of all that was started, so that a reader can see that none is left. */
  readonly pids: readonly number[];
}

type Head = Omit<Report, "baseline" | "samples" | "leftOut" | "rows" | "pids">;

/** What can be said before anything is measured. */
export function headOf({ rounds, seconds, together }: Options, stacks: readonly Stack[]): Head {
  const machine = { processors: availableParallelism(), node: process.versions.node };
  const chains = stacks.map(({ name, about }) => ({ name, about }));
  return { startedAt: new Date().toISOString(), machine, rounds, seconds, together, chains };
}

/** The samples of several runs as those of one, each file's rounds for themselves. @throws Error naming the file */
export async function samplesFrom(files: readonly string[]): Promise<Sample[]> {
  const parts = await Promise.all(files.map(samplesOf));
  let rounds = 0;
  const all = parts.flatMap((samples) => {
    const first = rounds;
    rounds += 1 + Math.max(0, ...samples.map(({ round }) => round));
    return samples.map((sample) => ({ ...sample, round: first + sample.round }));
  });
  const place = ({ scenario }: Sample) => scenarios.findIndex(({ name }) => name === scenario);
  return all.sort((one, other) => place(one) - place(other));
}

async function samplesOf(file: string): Promise<readonly Sample[]> {
  try {
    const { samples } = JSON.parse(await readFile(file, "utf8")) as Partial<Report>;
    if (samples?.every(({ scenario, stack, figures }) => scenario && stack && figures)) return samples;
  } catch (error) {
    throw new Error(`--from ${file}: ${(error as Error).message}`);
  }
  throw new Error(`--from ${file}: it is not what --json wrote`);
}
