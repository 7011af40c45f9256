// Pure. Samples to a summary: the middle and the spread of each figure over the rounds, and of its ratio to the baseline's in the
// same round, which is what can be compared when the machine is not alone.

import { type Figure, figures, type Sample } from "./sample.ts";

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Row {
  readonly scenario: string;
  readonly part: string;
  readonly stack: string;
  readonly figures: Readonly<Partial<Record<Figure, Spread>>>;
  readonly ratios: Readonly<Partial<Record<Figure, Spread>>>;
  readonly wrong: readonly string[];
}

/** One row for each stack in each part of each scenario, in the order in which they were measured. */
export function summarize(samples: readonly Sample[], baseline: string): Row[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = JSON.stringify([sample.scenario, sample.part, sample.stack]);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups.values()].map((group) => rowOf(group, samples, baseline));
}

function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  const { length } = sorted;
  if (length === 0) return undefined;
  const [low, high] = [sorted[Math.floor((length - 1) / 2)], sorted[Math.floor(length / 2)]] as [number, number];
  return { median: (low + high) / 2, min: sorted[0] as number, max: sorted[length - 1] as number };
}

function rowOf(group: readonly Sample[], all: readonly Sample[], baseline: string): Row {
  const { scenario, part, stack } = group[0] as Sample;
  const like = all.filter((each) => each.stack === baseline && each.scenario === scenario && each.part === part);
  const base = new Map(like.map((each) => [each.round, each]));
  const ratio = (sample: Sample, figure: Figure) => {
    const [one, other] = [sample.figures[figure], base.get(sample.round)?.figures[figure]];
    return one === undefined || !other ? undefined : one / other;
  };
  return {
    ...{ scenario, part, stack },
    figures: spreads(group, (sample, figure) => sample.figures[figure]),
    ratios: spreads(group, ratio),
    wrong: [...new Set(group.flatMap(({ wrong }) => wrong))],
  };
}

function spreads(
  group: readonly Sample[],
  read: (sample: Sample, figure: Figure) => number | undefined,
): Partial<Record<Figure, Spread>> {
  const found = figures.flatMap((figure) => {
    const spread = spreadOf(group.flatMap((sample) => read(sample, figure) ?? []));
    return spread === undefined ? [] : [[figure, spread] as const];
  });
  return Object.fromEntries(found);
}
