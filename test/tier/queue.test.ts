// The queue of those that wait for capacity: its order, its bounds, and what it does when more come than can go on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Queue, type QueueLimits, type Waiter } from "../../services/tier/cluster/queue.ts";

interface Named extends Waiter {
  readonly name: string;
  readonly sinceMs: number;
}

function waiter(name: string, { ready = true, sinceMs = 0 } = {}): Named {
  return { name, sinceMs, ready, proceed: () => {}, giveUp: () => {} };
}

const nameOf = (one: Waiter | undefined) => (one as Named | undefined)?.name;
const limits: QueueLimits = { waitingMax: 3, waitMsMax: 5_000 };

function filled(names: string, of: QueueLimits = limits): Queue {
  const queue = new Queue(of);
  for (const name of names) queue.enter(waiter(name), 0);
  return queue;
}

test("the one that has waited longest goes on first, unless it is not ready", () => {
  const queue = filled("a");
  queue.enter(waiter("b", { ready: false }), 1);
  queue.enter(waiter("c"), 2);
  assert.deepEqual([queue.next(3), queue.next(3), queue.next(3)].map(nameOf), ["a", "c", undefined]);
  assert.equal(queue.size, 1);
});

test("a full queue takes nobody more, and one without a place takes nobody at all", () => {
  assert.equal(nameOf(filled("abc").enter(waiter("d"), 1)), "d");
  assert.equal(nameOf(filled("", { ...limits, waitingMax: 0 }).enter(waiter("a"), 1)), "a");
});

test("each gives up when it has waited as long as it may", () => {
  const queue = filled("a");
  queue.enter(waiter("b"), 100);
  assert.equal(queue.dueMs, 5_000);
  assert.deepEqual(queue.expired(4_999).map(nameOf), []);
  assert.deepEqual(queue.expired(5_000).map(nameOf), ["a"]);
  assert.equal(queue.dueMs, 5_100);
});

/** A queue into which more came than went on, for as long as it takes to call that pressure. */
function pressed(): Queue {
  const queue = filled("abc");
  queue.next(0);
  queue.enter(waiter("d"), 1_000);
  queue.next(1_100);
  queue.enter(waiter("e"), 1_200);
  queue.next(2_000);
  queue.enter(waiter("f"), 2_100);
  queue.enter(waiter("g"), 3_000);
  return queue;
}

test("under pressure the newest goes on first, and takes the place of the oldest in a full queue", () => {
  const queue = pressed();
  assert.equal(queue.pressure, true);
  assert.equal(nameOf(queue.enter(waiter("h"), 3_001)), "e");
  assert.equal(nameOf(queue.next(3_002)), "h");
});

test("under pressure nobody waits longer than a tenth as long", () => {
  const queue = pressed();
  assert.deepEqual(queue.expired(3_001).map(nameOf), ["e", "f"]);
});

test("a burst that is worked off is no pressure, nor is a standstill, nor an empty queue", () => {
  const burst = filled("abc");
  burst.next(600);
  burst.next(1_200);
  assert.deepEqual([burst.pressure, nameOf(burst.next(2_400))], [false, "c"]);
  const standstill = filled("a");
  standstill.enter(waiter("b"), 3_000);
  standstill.enter(waiter("c"), 4_500);
  assert.deepEqual([standstill.pressure, nameOf(standstill.next(4_600))], [false, "a"]);
  const emptied = pressed();
  while (emptied.size > 0) emptied.next(3_100);
  emptied.enter(waiter("x"), 3_200);
  assert.equal(emptied.pressure, false);
});

test("pressure lasts until the queue is empty, so that those that come do not wait behind the rest of it", () => {
  const queue = pressed();
  queue.enter(waiter("x"), 5_000);
  assert.deepEqual([queue.pressure, nameOf(queue.next(9_000))], [true, "x"]);
});

/** Each 25 ms `comes` come and two go on, which is 80 a second. @returns the waits of those that went on, and how many were told no */
function flow(
  queue: Queue,
  comes: number,
  fromMs: number,
  untilMs: number,
): { readonly waitsMs: number[]; refused: number } {
  const result = { waitsMs: [] as number[], refused: 0 };
  for (let ms = fromMs; ms < untilMs; ms += 25) {
    for (let each = 0; each < comes; each += 1)
      if (queue.enter(waiter("", { sinceMs: ms }), ms) !== undefined) result.refused += 1;
    for (let each = 0; each < 2; each += 1) {
      const next = queue.next(ms) as Named | undefined;
      if (next !== undefined) result.waitsMs.push(ms - next.sinceMs);
    }
    result.refused += queue.expired(ms).length;
  }
  return result;
}

test("at four times what it can do it works on as much as ever, nobody waits for a second, and the others hear no at once", () => {
  const queue = new Queue({ waitingMax: 1_024, waitMsMax: 5_000 });
  const { waitsMs, refused } = flow(queue, 8, 0, 20_000);
  assert.equal(waitsMs.length, 20 * 80);
  assert.ok(Math.max(...waitsMs) < 1_000, `one waited for ${Math.max(...waitsMs)} ms`);
  // All of the others but for those few that wait now.
  assert.ok(refused >= 20 * 240 - 16, `${refused} were told`);
  const after = flow(queue, 1, 20_000, 21_000);
  assert.deepEqual([queue.pressure, after.refused > 16], [false, false]);
  assert.equal(flow(queue, 1, 21_000, 30_000).refused, 0);
});

test("a burst of a thousand that can be worked off within the time loses nobody, and neither do two", () => {
  const queue = new Queue({ waitingMax: 1_024, waitMsMax: 5_000 });
  for (let each = 0; each < 300; each += 1) queue.enter(waiter("", { sinceMs: 0 }), 0);
  assert.equal(flow(queue, 1, 0, 2_000).refused, 0);
  for (let each = 0; each < 100; each += 1) queue.enter(waiter("", { sinceMs: 2_000 }), 2_000);
  assert.equal(flow(queue, 1, 2_000, 12_000).refused, 0);
});
