// What is costly to make and asked for often is made at most once in a while: a flood of askers gets the same one.

import { monotonicMs } from "./clock.ts";

/** Nobody who looks at a page or a chart sees the difference. */
export const BRIEFLY_MS = 250;

/** @returns what `make` returned, until that is BRIEFLY_MS old; a promise is shared while it is pending, too */
export function briefly<T>(make: () => T): () => T {
  let made: { readonly value: T; readonly untilMs: number } | undefined;
  return () => {
    const atMs = monotonicMs();
    if (made === undefined || atMs >= made.untilMs) made = { value: make(), untilMs: atMs + BRIEFLY_MS };
    return made.value;
  };
}
