// In one turn of the event loop only so many requests are begun; the others rest, in their order, until what is under way has been
// looked at. Else, when more come than this process can serve, it reads all that comes before it reads what the members answered: their
// places look taken while they have long been done, and what waits for these is refused, which costs half of what an answer costs.

import type { Resting } from "./fair-reading.ts";
import { enterTurn, leaveTurn } from "./turn.ts";

/** Some milliseconds' worth. */
export const TURN_BEGINNINGS = 64;

export class FairBeginning {
  readonly #most: number;
  readonly #atTurnEnd: (then: () => void) => unknown;
  #begun = 0;
  #resting: Resting[] = [];

  constructor(most: number, atTurnEnd: (then: () => void) => unknown) {
    this.#most = most;
    this.#atTurnEnd = atTurnEnd;
  }

  /** @returns false when `one` is to rest; then goOn() is called, after which it may */
  mayBegin(one: Resting): boolean {
    if (this.#begun === this.#most) {
      this.#resting.push(one);
      return false;
    }
    this.#count();
    return true;
  }

  #count(): void {
    if (this.#begun === 0) this.#atTurnEnd(() => this.#nextTurn());
    this.#begun += 1;
  }

  #nextTurn(): void {
    this.#begun = 0;
    const first = this.#resting.splice(0, this.#most);
    enterTurn();
    try {
      for (const one of first) {
        this.#count();
        one.goOn();
      }
    } finally {
      leaveTurn();
    }
  }
}

/** The event loop is the whole process's. */
export const beginnings = new FairBeginning(TURN_BEGINNINGS, setImmediate);
