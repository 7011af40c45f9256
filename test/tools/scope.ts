// How long something made for tests lives: the context that a test is given is a Scope, and `fileScope` makes one for what
// all tests of a file share.

import { after } from "node:test";

export interface Scope {
  readonly after: (cleanUp: () => void | Promise<void>) => void;
}

/** Call it where the file begins: hooks that are made inside of hooks end with those. */
export function fileScope(): Scope {
  return inReverse({ after });
}

/** A scope that ends with another one, and within which what was made last goes first: a process before its directory. */
export function inReverse(outer: Scope): Scope {
  const cleanUps: (() => void | Promise<void>)[] = [];
  outer.after(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });
  return { after: (cleanUp) => void cleanUps.push(cleanUp) };
}
