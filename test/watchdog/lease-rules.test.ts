// The rules of the lease as a table, and as a walk: watchdogs that stall for any time between any two steps, die and come
// back, on clocks of different speeds. Whatever happens, two never hold at once by what each of them knows.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Claim,
  holds,
  isLate,
  type LeaseDecision,
  nextWithClaim,
  nextWithoutClaim,
  type ObservedClaim,
  type OwnClaim,
  observedAfter,
  ownClaimFrom,
  renewed,
} from "../../watchdog/leader/rules.ts";

const NOW = 1_000_000;

function claim(epoch: number, changes: Partial<Claim> = {}): Claim {
  return { epoch, id: "other", led: true, released: false, text: `other ${epoch}`, ...changes };
}

const seen = (changes: Partial<Claim> = {}, forMs = 0): ObservedClaim => ({
  claim: claim(5, changes),
  sinceMs: NOW - forMs,
});

const contests: readonly [what: string, ObservedClaim | undefined, LeaseDecision][] = [
  ["nobody has claimed", undefined, { kind: "claim", epoch: 1 }],
  ["another one renews", seen({}, 1_999), { kind: "wait" }],
  ["another one has not renewed for 2 s", seen({}, 2_000), { kind: "claim", epoch: 6 }],
  ["another one has released", seen({ released: true }), { kind: "claim", epoch: 6 }],
  ["it was ourselves in an earlier life", seen({ id: "me" }), { kind: "claim", epoch: 6 }],
  ["it was ourselves, and we had not led by it", seen({ id: "me", led: false }), { kind: "wait" }],
  ["it cannot be read", seen({ id: "", led: false }, 1_999), { kind: "wait" }],
  ["it cannot be read for 2 s", seen({ id: "", led: false }, 2_000), { kind: "claim", epoch: 6 }],
];

for (const [what, observed, decision] of contests) {
  test(`one without a claim decides "${decision.kind}" when ${what}`, () => {
    assert.deepEqual(nextWithoutClaim(observed, "me", NOW), decision);
  });
}

test("one whose holder has ended claims at once, unless that one had yet to lead", () => {
  assert.deepEqual(nextWithoutClaim(seen({}, 700), "me", NOW, true), { kind: "claim", epoch: 6 });
  assert.deepEqual(nextWithoutClaim(seen({ led: false }, 700), "me", NOW, true), { kind: "wait" });
});

test("whether a holder has ended is asked when it is late, and has led", () => {
  const asked = [seen({}, 699), seen({}, 700), seen({ led: false }, 1_999), undefined];
  assert.deepEqual(
    asked.map((observed) => isLate(observed, NOW)),
    [false, true, false, false],
  );
});

const ownClaim: OwnClaim = { epoch: 5, renewedMs: NOW, leadsFromMs: NOW };
const own = { id: "me", text: "me 5" };
const renewals: readonly [what: string, OwnClaim, ObservedClaim | undefined, LeaseDecision["kind"]][] = [
  ["its own is the highest", ownClaim, seen(own), "lead"],
  ["there is a higher one", ownClaim, { claim: claim(6), sinceMs: NOW }, "lost"],
  ["the higher one cannot be read", ownClaim, { claim: claim(6, { id: "" }), sinceMs: NOW }, "lost"],
  ["somebody else has its number", ownClaim, seen(), "lost"],
  ["its own cannot be read", ownClaim, seen({ id: "" }), "lead"],
  ["there is none but lower ones", ownClaim, { claim: claim(4), sinceMs: NOW }, "lead"],
  ["the one before may still hold", { ...ownClaim, leadsFromMs: NOW + 1 }, seen(own), "wait"],
];

for (const [what, own, observed, decision] of renewals) {
  test(`one with a claim decides "${decision}" when ${what}`, () => {
    assert.equal(nextWithClaim(own, observed, "me", NOW).kind, decision);
  });
}

test("a claim counts as unchanged from when its text was first seen", () => {
  const first = observedAfter(undefined, claim(5), NOW);
  assert.deepEqual(observedAfter(first, claim(5), NOW + 900), first);
  assert.equal(observedAfter(first, claim(5, { text: "renewed" }), NOW + 900)?.sinceMs, NOW + 900);
  assert.equal(observedAfter(first, claim(6), NOW + 900)?.sinceMs, NOW + 900);
});

test("a claim that vanishes counts as changed, and its number as taken", () => {
  const gone = observedAfter(seen({ released: true }, 9_000), undefined, NOW);
  assert.deepEqual(nextWithoutClaim(gone, "me", NOW + 1_999), { kind: "wait" });
  assert.deepEqual(nextWithoutClaim(observedAfter(gone, undefined, NOW + 2_000), "me", NOW + 2_000), {
    kind: "claim",
    epoch: 6,
  });
});

test("a claim made while the holder before renewed leads 2 s later, and any other at once", () => {
  const decidedOn = claim(4);
  const making = { begunMs: NOW, madeMs: NOW + 10, decidedOn };
  assert.equal(ownClaimFrom(5, { ...making, again: decidedOn }).leadsFromMs, NOW);
  assert.equal(ownClaimFrom(5, { ...making, again: claim(4, { text: "renewed" }) }).leadsFromMs, NOW + 2_010);
  assert.equal(ownClaimFrom(5, { ...making, again: undefined }).leadsFromMs, NOW + 2_010);
});

test("a renewal holds for 1.5 s from when it began", () => {
  const later = renewed(ownClaim, NOW + 100);
  assert.deepEqual([holds(later, NOW + 1_599), holds(later, NOW + 1_600)], [true, false]);
});

/** One watchdog of the walk. `act` does its next step, as lease.ts does them, on files that it shares with the others. */
class Walker {
  readonly #id: string;
  readonly #files: Map<number, Claim>;
  readonly #clock: () => number;
  #steps: Iterator<void> = this.#live();
  #observed: ObservedClaim | undefined;
  #own: OwnClaim | undefined;
  #writes = 0;
  leads = false;

  constructor(id: string, files: Map<number, Claim>, clock: () => number) {
    this.#id = id;
    this.#files = files;
    this.#clock = clock;
  }

  get holds(): boolean {
    return this.leads && this.#own !== undefined && holds(this.#own, this.#clock());
  }

  act(): void {
    this.#steps.next();
  }

  /** Killed, and started again with the same name and nothing in mind. */
  die(): void {
    this.#lose();
    this.#observed = undefined;
    this.#steps = this.#live();
  }

  release(): void {
    const epoch = this.#own?.epoch;
    const leads = this.leads;
    this.die();
    if (epoch !== undefined && leads) this.#write(epoch, { led: true, released: true });
  }

  *#live(): Generator<void> {
    for (;;) {
      if (this.#own === undefined) yield* this.#contend();
      else yield* this.#renew(this.#own);
      yield;
    }
  }

  *#contend(): Generator<void> {
    const highest = this.#highest();
    yield;
    this.#observed = observedAfter(this.#observed, highest, this.#clock());
    const begunMs = this.#clock();
    const decision = nextWithoutClaim(this.#observed, this.#id, begunMs);
    if (decision.kind !== "claim") return;
    yield;
    if (this.#files.has(decision.epoch)) return;
    this.#write(decision.epoch, { led: false, released: false });
    yield;
    const madeMs = this.#clock();
    const decidedOn = this.#observed?.claim;
    const again = decidedOn && this.#files.get(decidedOn.epoch);
    yield;
    this.#own = ownClaimFrom(decision.epoch, { begunMs, madeMs, decidedOn, again });
  }

  *#renew(ownClaim: OwnClaim): Generator<void> {
    const begunMs = this.#clock();
    yield;
    this.#write(ownClaim.epoch, { led: begunMs >= ownClaim.leadsFromMs, released: false });
    yield;
    const highest = this.#highest();
    yield;
    this.#observed = observedAfter(this.#observed, highest, this.#clock());
    const { kind } = nextWithClaim(ownClaim, this.#observed, this.#id, begunMs);
    if (kind === "lost") return this.#lose();
    this.#own = renewed(ownClaim, begunMs);
    if (kind === "lead" && !this.leads) {
      this.leads = true;
      for (const epoch of this.#files.keys()) if (epoch < ownClaim.epoch) this.#files.delete(epoch);
    }
  }

  #lose(): void {
    this.#own = undefined;
    this.leads = false;
  }

  #highest(): Claim | undefined {
    return this.#files.get(Math.max(...this.#files.keys()));
  }

  #write(epoch: number, marks: Pick<Claim, "led" | "released">): void {
    this.#writes += 1;
    this.#files.set(epoch, { epoch, id: this.#id, ...marks, text: `${this.#id} ${this.#writes} ${marks.released}` });
  }
}

/** Clocks run at up to a tenth faster or slower than the true one, which is a hundred times as much as real ones do. */
const SPEEDS = [0.9, 1, 1.1];

const move = fc.record({
  who: fc.nat({ max: SPEEDS.length - 1 }),
  what: fc.oneof({ weight: 60, arbitrary: fc.constant("act") }, fc.constantFrom("die", "release")),
  /** How long nothing at all happens before. */
  afterMs: fc.oneof({ weight: 6, arbitrary: fc.nat({ max: 60 }) }, fc.constantFrom(300, 600, 1_400, 1_600, 2_100)),
  times: fc.integer({ min: 1, max: 12 }),
});

/** Walks, and says how often somebody came to lead. @throws when two hold at once */
function walk(moves: readonly { who: number; what: string; afterMs: number; times: number }[]): number {
  let nowMs = 0;
  let led = 0;
  const files = new Map<number, Claim>();
  const walkers = SPEEDS.map((speed, index) => new Walker(`w${index}`, files, () => nowMs * speed + index * 12_345));
  const check = () => assert.ok(walkers.filter((walker) => walker.holds).length <= 1, `two hold at ${nowMs} ms`);
  for (const { who, what, afterMs, times } of moves) {
    const walker = walkers[who] as Walker;
    nowMs += afterMs;
    check();
    const before = walker.leads;
    if (what === "die") walker.die();
    else if (what === "release") walker.release();
    else for (let n = 0; n < times; n += 1) walker.act();
    check();
    if (walker.leads && !before) led += 1;
  }
  return led;
}

test("however watchdogs stall, die and come back, two never hold at once, and there is always a next one", () => {
  let led = 0;
  fc.assert(
    fc.property(fc.array(move, { minLength: 150, maxLength: 250 }), (moves) => {
      led += walk(moves);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(led > 3_000, `somebody came to lead ${led} times`);
});
