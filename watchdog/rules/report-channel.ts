// Pure. The channel by which one run of one member reports: its stdout, read as lines. Members write what they like on it, also
// what their clients sent them, so it is bounded: no line is parsed that cannot be a report, and no more than so many a second.

import { LINE_BYTES_MAX, LineSplitter } from "./line-splitter.ts";
import { type MemberReport, parseReport } from "./member-reports.ts";

/** A tier that loses a hundred members at once says less than this. */
export const REPORTS_PER_SECOND_MAX = 100;
const OPENING_BRACE = 0x7b;
/** As JSON writers put it. A line costs this one look, unless it is a report or wants to pass for one. */
const REPORT = /"event"\s{0,9}:\s{0,9}"(?:listening|member-failing|draining|ready|not-ready)"/;

export interface ReportChannelParts {
  readonly onReport: (report: MemberReport) => void;
  /** Called with each line, whatever it is; the bytes are lent for the call. */
  readonly onLine?: (line: Buffer) => void;
}

export class ReportChannel {
  readonly #onReport: (report: MemberReport) => void;
  readonly #splitter: LineSplitter;
  #nowMs = 0;
  #secondBeganMs = Number.NEGATIVE_INFINITY;
  #inSecond = 0;
  #dropped = 0;

  constructor({ onReport, onLine }: ReportChannelParts) {
    this.#onReport = onReport;
    this.#splitter = new LineSplitter((line) => {
      onLine?.(line);
      this.#hear(line);
    });
  }

  /** What was not taken in: bytes of lines that were too long, and reports past those of their second. */
  get dropped(): { readonly bytes: number; readonly reports: number } {
    return { bytes: this.#splitter.cutBytes, reports: this.#dropped };
  }

  /** @returns how many lines ended in it */
  push(piece: Buffer, nowMs: number): number {
    this.#nowMs = nowMs;
    return this.#splitter.push(piece);
  }

  /** The member writes no more. */
  end(nowMs: number): void {
    this.#nowMs = nowMs;
    this.#splitter.end();
  }

  #hear(line: Buffer): void {
    // A line that was cut is no report, whatever its beginning says.
    if (line[0] !== OPENING_BRACE || line.length === LINE_BYTES_MAX) return;
    const text = line.toString();
    if (!REPORT.test(text) || !this.#affords()) return;
    const report = parseReport(text);
    if (report !== undefined) this.#onReport(report);
  }

  #affords(): boolean {
    if (this.#nowMs - this.#secondBeganMs >= 1_000) {
      this.#secondBeganMs = this.#nowMs;
      this.#inSecond = 0;
    }
    this.#inSecond += 1;
    if (this.#inSecond <= REPORTS_PER_SECOND_MAX) return true;
    this.#dropped += 1;
    return false;
  }
}
