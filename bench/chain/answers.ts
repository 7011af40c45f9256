// What a right answer to each request is, and what is wrong with those that came. Judges no figure.

import type { Answer } from "./load/connection.ts";
import type { LoadResult, Request } from "./load/result.ts";
import { BIG_BYTES, SMALL_BODY } from "./origins.ts";

export function isRight(request: Request, { status, body }: Answer): boolean {
  return status === 200 && body === bodyOf(request);
}

/** The body that the servers give to it. */
function bodyOf({ path, bodyBytes }: Request): string {
  if (path === "/big") return "x".repeat(BIG_BYTES);
  return path === "/up" ? String(bodyBytes) : SMALL_BODY;
}

/** The load generator counts bytes and not bodies: fewer than all bodies have together is a body cut short. */
export function faultsOf({ answers, failed, broken, bytes }: LoadResult, request: Request): string[] {
  return [
    answers === 0 ? "no answer" : "",
    failed > 0 ? `${failed} of ${answers} answers are not a 200` : "",
    broken > 0 ? `${broken} requests without an answer` : "",
    failed === 0 && bytes < answers * bodyOf(request).length ? `${answers} answers in ${bytes} bytes` : "",
  ].filter(Boolean);
}
