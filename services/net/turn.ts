// What is written while one callback of the event loop runs leaves when it has run, each connection's in one write: a head and its
// body, the answers to a few pipelined requests. Every callback of the engine's sockets and timers is such a turn; what is written
// outside of one leaves at the next tick. A turn takes place at one time: its clock is asked once.

import { holdTime, releaseTime } from "../runtime/clock.ts";

export interface Flushable {
  flush(): void;
}

/** Its places are used again and again: to set the length of an array costs more than all the rest. */
const waiting: (Flushable | undefined)[] = [];
let count = 0;
let depth = 0;
let ticking = false;

/** Has `flush` called once when the turn ends. */
export function flushAtTurnEnd(one: Flushable): void {
  waiting[count] = one;
  count += 1;
  if (depth > 0 || ticking) return;
  ticking = true;
  process.nextTick(tick);
}

/** Must be followed by leaveTurn(), whatever happens between. */
export function enterTurn(): void {
  if (depth === 0) holdTime();
  depth += 1;
}

export function leaveTurn(): void {
  if (depth === 1 && count > 0) flushAll();
  depth -= 1;
  if (depth === 0) releaseTime();
}

function tick(): void {
  ticking = false;
  enterTurn();
  leaveTurn();
}

/** The list may grow while it is worked off. */
function flushAll(): void {
  for (let index = 0; index < count; index += 1) {
    const one = waiting[index] as Flushable;
    waiting[index] = undefined;
    one.flush();
  }
  count = 0;
}
