// Pure. The header names that a tier's rules ask about, each with a number, found while a head is read: no rule has to fold
// a name's case again. The number 0 stands for every other name.

/** Numbers up to 31 have a bit in a head's `seen` (message-head.ts): first those that are asked about in every message. */
const NAMES = [
  ...["", "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer"],
  ...["transfer-encoding", "upgrade", "http2-settings", "host", "content-length", "expect", "via", "x-forwarded-for"],
  ...["x-forwarded-proto", "x-forwarded-host", "forwarded", "x-request-id", "traceparent", "max-forwards"],
  ...[
    "x-served-by",
    "x-lb-error",
    "cookie",
    "x-lb-left",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
  ],
  ...["x-forwarded-scheme", "x-real-ip", "x-lb-attempts"],
  ...["date", "tracestate", "set-cookie", "content-type", "content-encoding", "content-range"],
  ...["authorization", "cache-control", "server", "retry-after"],
] as const;

export type HeaderName = (typeof NAMES)[number];

/** Lower-case names by number. */
export const headerNames: readonly HeaderName[] = NAMES;

/** Numbers by lower-case name. */
export const headerId = Object.fromEntries(NAMES.map((name, id) => [name, id])) as Readonly<Record<HeaderName, number>>;

const spellings = NAMES.map((name) => Buffer.from(name));
const table = new Uint8Array(256);
for (const [id, name] of NAMES.entries()) if (id > 0) table[slotOf(Buffer.from(name), name.length)] = id;

/** @returns the number of the name that ends before `to`; its bytes must be those of a token */
export function knownHeader(bytes: Uint8Array, from: number, to: number): number {
  const length = to - from;
  if (length < 2) return 0;
  const id = table[slotOf(bytes, to, length)] as number;
  const spelling = spellings[id] as Buffer;
  if (spelling.length !== length) return 0;
  for (let index = 0; index < length; index += 1) {
    if (((bytes[from + index] as number) | 32) !== spelling[index]) return 0;
  }
  return id;
}

const FORWARDED_PREFIX = Buffer.from("x-forwarded-");

/** Does a name that is not known begin as those do that say where a request comes from? */
export function isForwarded(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from <= FORWARDED_PREFIX.length || bytes[from + FORWARDED_PREFIX.length - 1] !== 45) return false;
  for (let index = 0; index < FORWARDED_PREFIX.length; index += 1) {
    if (((bytes[from + index] as number) | 32) !== FORWARDED_PREFIX[index]) return false;
  }
  return true;
}

/** No two known names have the same slot, as a test makes sure: length and the last two letters tell them apart. */
function slotOf(bytes: Uint8Array, to: number, length = to): number {
  const last = (bytes[to - 1] as number) | 32;
  const before = (bytes[to - 2] as number) | 32;
  return (length + before * 3 + last * 35) & 255;
}

/** A bit for each of these names, as in a head's `seen`. @param names of numbers up to 31 */
export function bitsOf(...names: readonly HeaderName[]): number {
  let bits = 0;
  for (const name of names) bits |= 1 << headerId[name];
  return bits;
}
