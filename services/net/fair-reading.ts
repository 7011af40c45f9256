// Nobody has the event loop to himself: of all that send as fast as they can, so much is read in one turn of it, and once that is
// reached each of them rests behind one read until the others have been looked at. With hundreds of them a turn stays short.

export interface Resting {
  /** Is read on in a new turn. */
  goOn(): void;
}

/** Some milliseconds' worth. */
export const TURN_BYTES = 4 * 1024 * 1024;

let resting: Resting[] = [];
let readInTurn = 0;

/** To be asked behind each read that has filled its buffer. @returns false when `one` is to rest; then goOn() is called */
export function mayReadOn(one: Resting, bytes: number): boolean {
  if (readInTurn === 0) setImmediate(nextTurn);
  readInTurn += bytes;
  if (readInTurn < TURN_BYTES) return true;
  resting.push(one);
  return false;
}

function nextTurn(): void {
  const all = resting;
  resting = [];
  readInTurn = 0;
  for (const one of all) one.goOn();
}
