// Pure. One head after another from the bytes of a connection, however they are cut into pieces. A head that is there at once is
// read where it stands; one that comes in pieces is kept, and a line of it is looked at only when its end has come.

import { Backlog } from "../../net/backlog.ts";
import type { Cursor } from "../../net/cursor.ts";
import { type Fault, faults } from "../message/faults.ts";
import type { MessageHead } from "../message/message-head.ts";
import { LF } from "./bytes.ts";
import { type Progress, readFieldLines, Scan } from "./field-lines.ts";

export interface HeadLimits {
  /** Of the whole head, first line and empty line included. */
  readonly headBytesMax: number;
  readonly fieldsMax: number;
}

const scan = new Scan();

export abstract class HeadParser<Head extends MessageHead> {
  /** Set as soon as the head is whole; the cursor then stands behind it. */
  head: Head | undefined;
  /** Set when it is none; there is no going on from here. */
  fault: Fault | undefined;
  readonly #limits: HeadLimits;
  #backlog: Backlog | undefined;
  #current: Head | undefined;
  /** Where the line begins that is to be read next, counted from the head's first byte; 0: the first line. */
  #next = 0;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** Is it in the middle of a head? */
  get begun(): boolean {
    return this.#backlog !== undefined && !this.#backlog.empty;
  }

  /** Reads on, up to the end of the head or of what has come. */
  read(cursor: Cursor): void {
    if (this.begun) {
      this.#readOn(cursor);
      return;
    }
    const progress = this.#scan(cursor);
    if (progress === "whole") cursor.at = scan.at;
    else if (progress !== "incomplete") this.fault = progress;
    else {
      this.#backlog ??= new Backlog();
      this.#backlog.take(cursor);
    }
  }

  /** Forgets the head that was read, so that the next one can be. */
  reset(): void {
    this.head = undefined;
  }

  protected abstract begin(): Head;

  /** Reads the first line and leaves the scan behind it. */
  protected abstract readFirstLine(scan: Scan, head: Head): Progress;

  /** Looks at a head that has its text. @returns what is wrong with it */
  protected abstract judge(head: Head): Fault | undefined;

  #scan({ bytes, at, end }: Cursor): Progress {
    this.#current ??= this.begin();
    const max = at + this.#limits.headBytesMax;
    scan.bytes = bytes;
    scan.base = at;
    scan.at = at + this.#next;
    scan.end = end < max ? end : max;
    scan.fieldsMax = this.#limits.fieldsMax;
    const progress = this.#lines(this.#current);
    if (progress === "whole") return this.#finish(bytes as Buffer, this.#current);
    if (progress === "incomplete" && end >= max)
      return this.#next === 0 ? this.firstLineTooLong() : faults.headTooLarge;
    return progress;
  }

  protected firstLineTooLong(): Fault {
    return faults.headTooLarge;
  }

  #lines(head: Head): Progress {
    if (this.#next === 0) {
      const progress = this.readFirstLine(scan, head);
      if (progress !== "whole") return progress;
      head.fieldsFrom = scan.at - scan.base;
    }
    const progress = readFieldLines(scan, head);
    this.#next = scan.at - scan.base;
    return progress;
  }

  #finish(bytes: Buffer, head: Head): Progress {
    head.text = bytes.toString("latin1", scan.base, scan.at);
    this.#current = undefined;
    this.#next = 0;
    const fault = this.judge(head);
    if (fault !== undefined) return fault;
    this.head = head;
    return "whole";
  }

  #readOn(cursor: Cursor): void {
    const backlog = this.#backlog as Backlog;
    const before = backlog.cursor.left;
    const { at } = cursor;
    backlog.take(cursor, this.#limits.headBytesMax - before);
    const full = backlog.cursor.left === this.#limits.headBytesMax;
    // Nothing but the end of a line can have completed anything.
    if (!full && !cursor.bytes.subarray(at, cursor.at).includes(LF)) return;
    const progress = this.#scan(backlog.cursor);
    if (progress === "incomplete") return;
    this.#backlog = undefined;
    if (progress === "whole") cursor.at = at + (scan.at - scan.base) - before;
    else this.fault = progress;
  }
}
