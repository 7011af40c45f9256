// Pure. How many of something came in each of the last seconds, by name: what a live view shows as a rate and as a row of bars.

const SECONDS_KEPT = 30;
const HEIGHTS = "▁▂▃▄▅▆▇█";

export class Recent {
  /** By name, the counts by second modulo SECONDS_KEPT + 1: the one that runs is beside those that are whole. */
  readonly #counts = new Map<string, number[]>();
  #second = 0;

  /** @param elapsedMs since the beginning; it only goes forward */
  count(name: string, elapsedMs: number): void {
    this.#goTo(elapsedMs);
    const counts = this.#counts.get(name) ?? new Array<number>(SECONDS_KEPT + 1).fill(0);
    const place = this.#second % counts.length;
    counts[place] = (counts[place] as number) + 1;
    this.#counts.set(name, counts);
  }

  /** Of the whole seconds, the oldest first. */
  of(name: string, elapsedMs: number): readonly number[] {
    this.#goTo(elapsedMs);
    const counts = this.#counts.get(name);
    const whole = Math.min(this.#second, SECONDS_KEPT);
    return Array.from({ length: whole }, (_, index) => {
      return counts?.[(this.#second - whole + index) % counts.length] ?? 0;
    });
  }

  /** Empties the seconds that have begun since. */
  #goTo(elapsedMs: number): void {
    const second = Math.floor(elapsedMs / 1_000);
    const passed = Math.min(second - this.#second, SECONDS_KEPT + 1);
    for (const counts of this.#counts.values())
      for (let back = 0; back < passed; back += 1) counts[(second - back) % counts.length] = 0;
    this.#second = Math.max(second, this.#second);
  }
}

/** One character for each; a blank for none. @param most what the highest one stands for */
export function bars(counts: readonly number[], most: number): string {
  return counts.map((count) => (count === 0 ? " " : HEIGHTS[Math.ceil((count / most) * HEIGHTS.length) - 1])).join("");
}
