// What is written while one callback of the event loop runs leaves when it has run, each connection's in one write: a head and its
// body, the answers to a few pipelined requests. Every callback of the engine's sockets and timers is such a turn; what is written
// outside of one leaves at the next tick.

export interface Flushable {
  flush(): void;
}

const waiting: Flushable[] = [];
let depth = 0;
let ticking = false;

/** Has `flush` called once when the turn ends. */
export function flushAtTurnEnd(one: Flushable): void {
  waiting.push(one);
  if (depth > 0 || ticking) return;
  ticking = true;
  process.nextTick(tick);
}

/** Must be followed by leaveTurn(), whatever happens between. */
export function enterTurn(): void {
  depth += 1;
}

export function leaveTurn(): void {
  if (depth === 1 && waiting.length > 0) flushAll();
  depth -= 1;
}

function tick(): void {
  ticking = false;
  enterTurn();
  leaveTurn();
}

/** The list may grow while it is worked off. */
function flushAll(): void {
  for (let index = 0; index < waiting.length; index += 1) (waiting[index] as Flushable).flush();
  waiting.length = 0;
}
