// Pure. The table of failures: what the client is told, whose fault it is, and when another attempt is safe.
// RFC 9110: 502 and 504 in sections 15.6.3 and 15.6.5, 503 in 15.6.4, automatic retries in 9.2.2.

export interface FailureRule {
  /** What the client gets when no attempt is left. */
  readonly status: number;
  /** `any`: provably not executed, so any method. `idempotent`: perhaps executed. `never`. */
  readonly retry: "any" | "idempotent" | "never";
  /** `member`: it is out of reach. `slow`: counts as a 5xx does, and speaks against it when it comes in a row. */
  readonly blame: "member" | "slow" | "client" | "nobody";
}

export const failures = {
  /** We have nobody to send it to. */
  "no-member": { status: 503, retry: "never", blame: "nobody" },
  /** No pool has a route for its host and path. */
  "no-route": { status: 404, retry: "never", blame: "nobody" },
  /** Every member has as much to do as it may, and no place came free in time. */
  overloaded: { status: 503, retry: "never", blame: "nobody" },
  /** The tier behind us has nobody: it says so with X-LB-Error, and has sent the request to no one. */
  "no-member-behind": { status: 503, retry: "any", blame: "nobody" },
  /** The connection was refused, or could not be routed; nothing was sent. */
  refused: { status: 502, retry: "any", blame: "member" },
  /** We could make no connection to anybody; nothing was sent. */
  "no-socket": { status: 503, retry: "any", blame: "nobody" },
  /** No connection in time; nothing was sent. */
  "connect-timeout": { status: 504, retry: "any", blame: "member" },
  /** The connection broke before the first byte of a response. */
  reset: { status: 502, retry: "idempotent", blame: "member" },
  /** The registry called the member down, or no longer has it, while it had yet to answer: it was given up for another. */
  "member-down": { status: 502, retry: "idempotent", blame: "nobody" },
  /** The head of the response did not come in time. The member may still be at work: never again elsewhere. */
  "response-timeout": { status: 504, retry: "never", blame: "slow" },
  /** What came was not HTTP. */
  malformed: { status: 502, retry: "never", blame: "slow" },
  /** The response broke off after its head had gone to the client. */
  truncated: { status: 502, retry: "never", blame: "nobody" },
  /** A body without a length turned out to be larger than BODY_BYTES_MAX. */
  "body-too-large": { status: 413, retry: "never", blame: "client" },
  /** What the client sent turned out to be no HTTP. */
  "client-error": { status: 400, retry: "never", blame: "client" },
  /** The client left (499 is nginx's word for it; nobody reads it). */
  "client-left": { status: 499, retry: "never", blame: "client" },
} as const satisfies Record<string, FailureRule>;

export type Failure = keyof typeof failures;

/** The system's refusals that are ours alone: no descriptor, no port, no memory for one more connection. */
const OUR_OWN: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "EADDRNOTAVAIL", "ENOBUFS", "ENOMEM"]);

export function isOurOwn(code: string): boolean {
  return OUR_OWN.has(code);
}

/** Names the failure behind a system's error code. @param sent had the connection been made? */
export function failureOf(code: string | undefined, sent: boolean): Failure {
  if (code === "ETIMEDOUT") return sent ? "response-timeout" : "connect-timeout";
  if (!sent) return isOurOwn(code ?? "") ? "no-socket" : "refused";
  return code === "ECONNRESET" || code === "EPIPE" ? "reset" : "malformed";
}

/**
 * Safe to repeat when nobody knows whether it was executed (RFC 9110 section 9.2.2): those that the registry of methods calls idempotent
 * (https://www.iana.org/assignments/http-methods). PRI is the first line of HTTP/2, and no method that anybody may send.
 */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  ...["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"],
  ...["ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "LABEL", "LINK", "MERGE", "MKACTIVITY"],
  ...["MKCALENDAR", "MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "ORDERPATCH", "PROPFIND", "PROPPATCH", "QUERY"],
  ...["REBIND", "REPORT", "SEARCH", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF"],
  "VERSION-CONTROL",
]);

/** Does a second execution change no more than the first? */
export function isRepeatable(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/** Did the member's end of the connection go, or the member itself, while it had the request? */
export function breaks(failure: Failure): boolean {
  return failure === "reset" || failure === "member-down";
}

/** What breaks sooner may be a connection that had been idle, of a member that was gone before the request came. */
const BROKE_OVER_IT_MS = 10;

/** Did the member die or hang over the request, which may then be what kills the next one too? */
export type BrokeOverIt = "no" | "perhaps" | "surely";

export interface BreakFacts {
  readonly failure: Failure;
  /** Of a tier behind us that has nobody left: what it failed with. */
  readonly behind?: string | undefined;
  readonly role: string;
  readonly lastedMs: number;
  /** Had it a connection of its own, where the request is all that it was for? */
  readonly fresh: boolean;
  /** Had the request broken somebody before it began anew, with others? */
  readonly anew: boolean;
}

/** A link to a proxy is shared, and breaks for all when the proxy dies. */
export function brokeOverIt({ failure, behind, role, lastedMs, fresh, anew }: BreakFacts): BrokeOverIt {
  if (failure === "no-member-behind") {
    const isBroken = behind === "reset" || behind === "member-down";
    return isBroken ? (anew ? "surely" : "perhaps") : "no";
  }
  if (!breaks(failure)) return "no";
  if (lastedMs >= BROKE_OVER_IT_MS) return "surely";
  return role === "proxy" ? "no" : fresh ? "surely" : "perhaps";
}

/** Within so long the end of a connection is heard of that was closed before the request came, also by a tier that is busy. */
const CLOSED_BEFORE_MS = 100;

/** May the server have closed an idle connection without having seen the request? @param lastedMs since it was sent */
export function mayHaveBeenIdle(lastedMs: number): boolean {
  return lastedMs < CLOSED_BEFORE_MS;
}

/** What decides whether a request may be sent again. */
export interface Repetition {
  readonly method: string;
  /** Can the body be sent again from its first byte? */
  readonly replayable: boolean;
  /** Attempts made so far, without the free ones and those at members that were asked to stop. */
  readonly attempts: number;
  /** How many members broke over it, this one included. */
  readonly broke: number;
  /** After how many of those it may be sent once more. */
  readonly brokeMax: number;
}

/** Attempts one tier makes for one request; each goes to another member. */
export const ATTEMPTS_MAX = 3;
/** So many refusals do not count: they come at once, and cost nobody anything. Most members of a pool may leave in one moment. */
const FREE_REFUSALS_MAX = 8;

/** @param made attempts in all @param refused those of them that met a closed port */
export function countedAttempts(made: number, refused: number): number {
  return made - Math.min(refused, FREE_REFUSALS_MAX);
}

export function mayRetry(failure: Failure, { method, replayable, attempts, broke, brokeMax }: Repetition): boolean {
  if (attempts >= ATTEMPTS_MAX || !replayable || broke > brokeMax) return false;
  const { retry } = failures[failure];
  return retry === "any" || (retry === "idempotent" && isRepeatable(method));
}
