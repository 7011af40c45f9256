// Answers that are given again to an order that comes again with its key, so that a client that has lost an answer may ask once more
// (draft-ietf-httpapi-idempotency-key-header). Kept in memory, and bounded: the oldest goes first. What was refused may be tried again.

import type { OperationAnswer } from "./answer.ts";
import type { ApiProblem } from "./contract/problems.ts";

const KEYS_MAX = 1_000;
const KEPT_MS = 24 * 3_600_000;
/** A structured field string, or the same without its quotes. */
const KEY = /^[\x21-\x7e]{1,255}$/;

interface GivenAnswer {
  /** Which order it was. */
  readonly order: string;
  readonly answer: Promise<OperationAnswer | ApiProblem>;
  readonly untilMs: number;
}

export class IdempotencyKeys {
  readonly #given = new Map<string, GivenAnswer>();
  readonly #nowMs: () => number;

  /** @param nowMs any clock that only goes forward */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @param order all that makes it the same one: path and body. @param give gives it */
  async once(
    key: string,
    order: string,
    give: () => Promise<OperationAnswer | ApiProblem>,
  ): Promise<OperationAnswer | ApiProblem> {
    if (!KEY.test(key))
      return {
        problem: "invalid-value",
        detail: "Idempotency-Key is 1 to 255 visible ASCII characters, such as a UUID",
      };
    const before = this.#given.get(key);
    if (before !== undefined && before.untilMs > this.#nowMs()) {
      if (before.order === order) return before.answer;
      return {
        problem: "idempotency-key-reused",
        detail: "this key was used for another order: take a new one for each",
      };
    }
    const answer = give();
    this.#keep(key, { order, answer, untilMs: this.#nowMs() + KEPT_MS });
    const given = await answer;
    if ("problem" in given) this.#given.delete(key);
    return given;
  }

  #keep(key: string, given: GivenAnswer): void {
    this.#given.delete(key);
    this.#given.set(key, given);
    const oldest = this.#given.keys().next().value;
    if (this.#given.size > KEYS_MAX && oldest !== undefined) this.#given.delete(oldest);
  }
}
