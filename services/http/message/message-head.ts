// Pure. A head as it was read: its text, and where in it each header line's name and value stand. Nothing is cut out of the text
// before somebody asks, so that lines which only pass through can go on as they are, many in one piece.

import { headerId, headerNames } from "./known-headers.ts";

/** How much is noted of a line, in the order in which it stands: the known header's number, where its name and its value begin and end. */
export const STRIDE = 5;
/** For as many lines as most heads have; an array that grows is copied each time. */
const ROOM: readonly number[] = new Array<number>(8 * STRIDE).fill(0);

export class MessageHead {
  /** Latin1, a character a byte. */
  text = "";
  /** Of HTTP/1. */
  minor = 1;
  /** Does the connection go on behind this message, as far as its sender is concerned? */
  keepAlive = true;
  /** A bit for each known header up to 31 that there is (known-headers.ts). */
  seen = 0;
  /** The same for those that there are more than once. */
  repeated = 0;
  /** Is there an X-Forwarded-... beside those that are known? */
  moreForwarded = false;
  readonly marks: number[] = ROOM.slice();
  /** How many header lines there are. */
  count = 0;
  /** Where the header lines begin and end in the text; the empty line is none of them. */
  fieldsFrom = 0;
  fieldsTo = 0;

  /** @param id up to 31 */
  has(id: number): boolean {
    return (this.seen & (1 << id)) !== 0;
  }

  /** The number of the known header on a line, or 0. */
  idAt(line: number): number {
    return this.marks[line * STRIDE] as number;
  }

  nameAt(line: number): string {
    const mark = line * STRIDE;
    return this.text.slice(this.marks[mark + 1], this.marks[mark + 2]);
  }

  /** Lower-case. */
  lowerNameAt(line: number): string {
    const id = this.idAt(line);
    return id > 0 ? (headerNames[id] as string) : this.nameAt(line).toLowerCase();
  }

  valueAt(line: number): string {
    const mark = line * STRIDE;
    return this.text.slice(this.marks[mark + 3], this.marks[mark + 4]);
  }

  /** Where a line begins in the text; that of the line behind the last is where the lines end. */
  offsetOf(line: number): number {
    return line < this.count ? (this.marks[line * STRIDE + 1] as number) : this.fieldsTo;
  }

  /** The value of the first line with a known header. */
  value(id: number): string | undefined {
    const { marks, count } = this;
    for (let mark = 0; mark < count * STRIDE; mark += STRIDE) {
      if (marks[mark] === id) return this.text.slice(marks[mark + 3], marks[mark + 4]);
    }
    return undefined;
  }

  /** The values of all lines with a known header as one list (RFC 9110 section 5.3). */
  list(id: number): string | undefined {
    if (id < 32 && (this.repeated & (1 << id)) === 0) return this.value(id);
    let list: string | undefined;
    for (let line = 0; line < this.count; line += 1) {
      if (this.idAt(line) === id) list = list === undefined ? this.valueAt(line) : `${list}, ${this.valueAt(line)}`;
    }
    return list;
  }

  /** Flat: name, value, name, value, as they came. */
  headers(): string[] {
    const flat: string[] = [];
    for (let line = 0; line < this.count; line += 1) flat.push(this.nameAt(line), this.valueAt(line));
    return flat;
  }

  /** Notes that a line with this known header was read; its marks stand behind those of the line before. */
  saw(id: number): void {
    this.count += 1;
    if (id > 31) return;
    const bit = 1 << id;
    if ((this.seen & bit) !== 0) this.repeated |= bit;
    this.seen |= bit;
  }
}

/** What a Connection header says (RFC 9110 section 7.6.1). */
export interface ConnectionWords {
  readonly keepAlive: boolean;
  readonly upgrade: boolean;
}

const GOES_ON: ConnectionWords = { keepAlive: true, upgrade: false };
const ENDS: ConnectionWords = { keepAlive: false, upgrade: false };

/** Without a word HTTP/1.1 goes on and HTTP/1.0 ends; `close` beats all else (RFC 9112 section 9.3). */
export function connectionWords(head: MessageHead): ConnectionWords {
  const value = head.has(headerId.connection) ? head.list(headerId.connection) : undefined;
  if (value === undefined) return head.minor === 1 ? GOES_ON : ENDS;
  if (value === "keep-alive") return GOES_ON;
  if (value === "close") return ENDS;
  const words = value.toLowerCase().split(/[ \t]*,[ \t]*/);
  const keepAlive = !words.includes("close") && (head.minor === 1 || words.includes("keep-alive"));
  return { keepAlive, upgrade: words.includes("upgrade") };
}
