// The table at the end: each rule of the checklist, how many of its facts hold at each place, and what does not.

import type { Row } from "./row.ts";
import { names, type TopologyName } from "./topology.ts";

export class Summary {
  readonly #rows: readonly Row[];
  readonly #held = new Map<string, number>();

  constructor(rows: readonly Row[]) {
    this.#rows = rows;
  }

  /** A row that is marked as failing holds nowhere, also where its test passes because it fails as it should. */
  held(row: Row, name: TopologyName): void {
    if (row.holds === false) return;
    const key = `${row.rule} ${name}`;
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
  }

  *lines(): Iterable<string> {
    yield `rule  ${names.map((name) => name.padStart(8)).join("")}   facts that hold, of all`;
    const rules = [...new Set(this.#rows.map(({ rule }) => rule))].sort((one, other) => one - other);
    for (const rule of rules) yield this.#line(rule);
    for (const { rule, fact, holds, reason } of this.#rows) {
      if (holds === false) yield `${rule}. does not hold: ${fact} (${reason})`;
    }
  }

  #line(rule: number): string {
    const all = this.#rows.filter((row) => row.rule === rule).length;
    const cells = names.map((name) => `${this.#held.get(`${rule} ${name}`) ?? 0}/${all}`.padStart(8));
    return `${String(rule).padStart(4)}  ${cells.join("")}`;
  }
}
