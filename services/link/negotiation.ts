// Pure. The HTTP/1.1 upgrade by which two tiers agree on the link (RFC 9110 section 7.8), on the ordinary port of the accepting one.
// Any answer but 101 means that HTTP/1.1 is all that is spoken there. The request is `OPTIONS *`, as in RFC 2817 section 3.2: it
// concerns the server itself, so that no application sees it where the link is not known.

const LINK_PROTOCOL = "evenkeel-link/1";

/** Of an answer's head; more of it is not read. */
export const ANSWER_BYTES_MAX = 16 * 1024;

/** What the accepting side writes before its first frame. */
export const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${LINK_PROTOCOL}\r\n\r\n`;

export type Answer =
  | { readonly kind: "incomplete" }
  /** @property end where the first frame begins */
  | { readonly kind: "spoken"; readonly end: number }
  | { readonly kind: "not-spoken"; readonly status: number }
  | { readonly kind: "no-http" };

/** @param host with its port, as for a Host header */
export function linkRequest(host: string): string {
  return `OPTIONS * HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: ${LINK_PROTOCOL}\r\n\r\n`;
}

/** Does a request ask for the link? @param upgrade its Upgrade header, if any */
export function asksForLink(upgrade: string | undefined): boolean {
  return upgrade?.trim().toLowerCase() === LINK_PROTOCOL;
}

/** @param bytes all that has come so far */
export function readAnswer(bytes: Buffer): Answer {
  const text = bytes.toString("latin1", 0, ANSWER_BYTES_MAX);
  if (!"HTTP/1.1 ".startsWith(text.slice(0, 9))) return { kind: "no-http" };
  const length = text.indexOf("\r\n\r\n");
  if (length < 0) return { kind: bytes.length >= ANSWER_BYTES_MAX ? "no-http" : "incomplete" };
  const status = /^HTTP\/1\.1 ([1-5]\d\d)(?: |\r\n)/.exec(text)?.[1];
  if (status === undefined) return { kind: "no-http" };
  // Behind any other 1xx another head would follow; nobody is known to send one here.
  const spoken = status === "101" && /\r\nupgrade:[ \t]*evenkeel-link\/1[ \t]*\r\n/i.test(text.slice(0, length + 2));
  return spoken ? { kind: "spoken", end: length + 4 } : { kind: "not-spoken", status: Number(status) };
}
