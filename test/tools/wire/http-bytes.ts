// Pure. A small and strict reader of HTTP/1.1 messages, for tests: what it cannot read without guessing it calls a fault.
// Nothing here is shared with the code under test, so that a mistake of one parser does not hide in the other.

export interface Head {
  /** The request line or the status line. */
  readonly line: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface Message extends Head {
  /** Without its framing. */
  readonly body: string;
  readonly framing: "none" | "length" | "chunked" | "close";
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** False: the connection ended inside it. */
  readonly whole: boolean;
}

/** `size`: how many characters (bytes, all text here is latin1) the message takes. */
export type Read<Kind> =
  | { readonly kind: "read"; readonly message: Kind; readonly size: number }
  | { readonly kind: "incomplete" }
  | { readonly kind: "fault"; readonly fault: string };

const REQUEST_LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e\x80-\xff]+ HTTP\/1\.[01]$/;
const STATUS_LINE = /^HTTP\/1\.[01] [1-5]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const FIELD =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[ \t]*$/;

export function readRequestHead(text: string): Read<Head> {
  return readHead(text, REQUEST_LINE);
}

export function readRequest(text: string): Read<Message> {
  const head = readHead(text, REQUEST_LINE);
  return head.kind === "read" ? readBody(text, head, framingOf(head.message) ?? { kind: "none" }) : head;
}

/** @param method of the request that it answers; @param ended nothing will follow, by a FIN or a reset */
export function readResponse(text: string, method: string, ended: "fin" | "reset" | undefined): Read<Message> {
  const head = readHead(text, STATUS_LINE);
  if (head.kind !== "read") return head;
  const status = statusOf(head.message);
  const bodiless = status < 200 || status === 204 || status === 304 || method === "HEAD";
  const framing: Framing = bodiless ? { kind: "none" } : (framingOf(head.message) ?? { kind: "close" });
  if (framing.kind === "fault") return framing;
  const read = readBody(text, head, framing);
  const rest = text.slice(head.size);
  if (ended === undefined) return framing.kind === "close" ? { kind: "incomplete" } : read;
  if (framing.kind === "close" && ended === "fin") return whole(head, framing.kind, rest, text.length);
  if (framing.kind !== "close" && read.kind !== "incomplete") return read;
  const message = { ...head.message, body: rest, framing: framing.kind, trailers: [], whole: false };
  return { kind: "read", message, size: text.length };
}

export function statusOf({ line }: Head): number {
  return Number(line.split(" ")[1]);
}

/** All values of a header, in order. */
export function valuesOf({ headers }: Pick<Head, "headers">, wanted: string): string[] {
  return headers.filter(([name]) => name.toLowerCase() === wanted.toLowerCase()).map(([, value]) => value);
}

type Framing =
  | { readonly kind: "none" | "chunked" | "close" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "fault"; readonly fault: string };

function readHead(text: string, firstLine: RegExp): Read<Head> {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return { kind: "incomplete" };
  const [line = "", ...fields] = text.slice(0, end).split("\r\n");
  if (!firstLine.test(line)) return { kind: "fault", fault: `first line ${JSON.stringify(line)}` };
  const headers = readFields(fields);
  if (typeof headers === "string") return { kind: "fault", fault: headers };
  return { kind: "read", message: { line, headers }, size: end + 4 };
}

function readFields(lines: readonly string[]): [string, string][] | string {
  const fields: [string, string][] = [];
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) return `header ${JSON.stringify(line)}`;
    fields.push([name, value]);
  }
  return fields;
}

/** undefined when no header speaks of a body. */
function framingOf(head: Head): Framing | undefined {
  const lengths = valuesOf(head, "content-length");
  const codings = valuesOf(head, "transfer-encoding");
  if (lengths.length + codings.length > 1) return { kind: "fault", fault: "framed twice" };
  const [length] = lengths;
  if (length !== undefined) {
    if (!/^\d{1,15}$/.test(length)) return { kind: "fault", fault: `Content-Length ${JSON.stringify(length)}` };
    return { kind: "length", length: Number(length) };
  }
  const [coding] = codings;
  if (coding === undefined) return undefined;
  return coding.toLowerCase() === "chunked"
    ? { kind: "chunked" }
    : { kind: "fault", fault: `Transfer-Encoding ${JSON.stringify(coding)}` };
}

function readBody(text: string, head: Read<Head> & { kind: "read" }, framing: Framing): Read<Message> {
  const rest = text.slice(head.size);
  switch (framing.kind) {
    case "fault":
      return framing;
    case "none":
    case "close":
      return whole(head, framing.kind, "", head.size);
    case "length":
      if (rest.length < framing.length) return { kind: "incomplete" };
      return whole(head, "length", rest.slice(0, framing.length), head.size + framing.length);
    case "chunked":
      return readChunks(rest, head);
    default:
      return framing satisfies never;
  }
}

function readChunks(rest: string, head: Read<Head> & { kind: "read" }): Read<Message> {
  let body = "";
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf("\r\n", at);
    if (lineEnd < 0) return { kind: "incomplete" };
    const line = rest.slice(at, lineEnd);
    const [, digits] = /^([0-9A-Fa-f]{1,8})(?:;[\t\x20-\x7e]*)?$/.exec(line) ?? [];
    if (digits === undefined) return { kind: "fault", fault: `chunk size ${JSON.stringify(line)}` };
    const size = Number.parseInt(digits, 16);
    const start = lineEnd + 2;
    if (size === 0) return readTrailers(rest, start, { head, body });
    if (rest.length < start + size + 2) return { kind: "incomplete" };
    body += rest.slice(start, start + size);
    if (rest.slice(start + size, start + size + 2) !== "\r\n") return { kind: "fault", fault: "chunk without its end" };
    at = start + size + 2;
  }
}

interface Chunks {
  readonly head: Read<Head> & { kind: "read" };
  readonly body: string;
}

function readTrailers(rest: string, start: number, { head, body }: Chunks): Read<Message> {
  if (rest.startsWith("\r\n", start)) return whole(head, "chunked", body, head.size + start + 2);
  const end = rest.indexOf("\r\n\r\n", start);
  if (end < 0) return { kind: "incomplete" };
  const trailers = readFields(rest.slice(start, end).split("\r\n"));
  if (typeof trailers === "string") return { kind: "fault", fault: `trailer ${trailers}` };
  const message = { ...head.message, body, framing: "chunked" as const, trailers, whole: true };
  return { kind: "read", message, size: head.size + end + 4 };
}

function whole({ message }: { message: Head }, framing: Message["framing"], body: string, size: number): Read<Message> {
  return { kind: "read", message: { ...message, body, framing, trailers: [], whole: true }, size };
}
