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
    const ends: PromiseSettledResult<void>[] = [];
    // One that fails keeps none of the others from theirs.
    for (const cleanUp of cleanUps.reverse()) ends.push(...(await Promise.allSettled([(async () => cleanUp())()])));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  });
  return { after: (cleanUp) => void cleanUps.push(cleanUp) };
}
