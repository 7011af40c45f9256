// Nobody has the event loop to himself: in one turn a connection may be read up to a share of what is moved in a turn by all
// that send as fast as they can. Its reading then rests until the others have been looked at.

export interface Resting {
  /** Reads on. @param bytes how many it may until it rests again */
  goOn(bytes: number): void;
}

/** Moved in one turn, by all that have much to send: some milliseconds' worth. */
const TURN_BYTES = 4 * 1024 * 1024;
export const SHARE_BYTES_MAX = 512 * 1024;
/** One read. */
const SHARE_BYTES_MIN = 64 * 1024;

let resting: Resting[] = [];

export function restUntilNextTurn(one: Resting): void {
  resting.push(one);
  if (resting.length === 1) setImmediate(nextTurn);
}

function nextTurn(): void {
  const all = resting;
  resting = [];
  const share = Math.min(Math.max(TURN_BYTES / all.length, SHARE_BYTES_MIN), SHARE_BYTES_MAX);
  for (const one of all) one.goOn(share);
}
