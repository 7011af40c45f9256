// Pure. Everything that /api/v1 refuses, as a problem document (RFC 9457). A type is stable: scripts may tell problems apart by it, and by
// nothing else. docs/api.md and /api/docs are made from this table.

import * as z from "zod";

export const PROBLEM_TYPE = "application/problem+json";
const PREFIX = "urn:evenkeel:problem:";

interface KnownProblem {
  readonly status: number;
  readonly title: string;
}

export const problems = {
  "malformed-request": {
    status: 400,
    title: "The request cannot be read: its path cannot be decoded, or its body is no JSON",
  },
  "invalid-value": {
    status: 400,
    title: "A value in the query, the body or a header is not one of those that are legal",
  },
  "no-token": { status: 401, title: "Orders from another host need API_TOKEN" },
  "wrong-token": { status: 401, title: "The token that was sent is not API_TOKEN" },
  "wrong-host": { status: 403, title: "It was asked for a name that is not the watchdog's" },
  "from-a-web-page": { status: 403, title: "Orders are not taken from web pages" },
  "not-found": { status: 404, title: "There is no such slot, service, incident or order" },
  "no-such-path": { status: 404, title: "The API has no such path" },
  "method-not-allowed": { status: 405, title: "The path is not for this method: Allow names those that it is for" },
  conflict: { status: 409, title: "It cannot be done as things are: the slot is held or being healed, say" },
  "body-too-large": { status: 413, title: "The body is larger than any order is" },
  "not-json": { status: 415, title: "Orders are sent as application/json in UTF-8" },
  "idempotency-key-reused": { status: 422, title: "The idempotency key was used for another order" },
  "standing-by": { status: 503, title: "This watchdog stands by: another one leads" },
  "too-many-streams": { status: 503, title: "As many streams of events are open as there may be" },
} as const satisfies Record<string, KnownProblem>;

export type ProblemName = keyof typeof problems;

export const problemNames = Object.keys(problems) as ProblemName[];

export const problemSchema = z.object({
  type: z.enum(problemNames.map((name) => `${PREFIX}${name}` as const)),
  title: z.string(),
  status: z.int(),
  /** What is wrong this time, and what to do about it; one line. */
  detail: z.string(),
  /** The path that was asked. */
  instance: z.string(),
});

export type ProblemDocument = Readonly<z.infer<typeof problemSchema>>;

export interface ApiProblem {
  readonly problem: ProblemName;
  /** One line. */
  readonly detail: string;
}

export function problemDocument({ problem, detail }: ApiProblem, instance: string): ProblemDocument {
  return {
    type: typeOf(problem),
    ...{ title: problems[problem].title, status: problems[problem].status },
    detail,
    instance,
  };
}

export function typeOf(problem: ProblemName): ProblemDocument["type"] {
  return `${PREFIX}${problem}`;
}
