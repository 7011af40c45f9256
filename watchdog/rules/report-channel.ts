// Pure. The channel by which one run of one member reports: its stdout, read as lines. Members write what they like on it, also
// what their clients sent them. So it is bounded: no line is parsed that cannot be a report, and no more than so many a second.
// And it is believed on terms: a report holds the nonce of the start, a port is one of the role's, and the first word of a run
// about where it listens is the last.

import type { Ports, Unheard } from "../engines/discovery.ts";
import type { ReportTerms } from "../engines/report-terms.ts";
import { LINE_BYTES_MAX, LineSplitter } from "./line-splitter.ts";
import { type MemberReport, parseReport } from "./member-reports.ts";

/** A tier that loses a hundred members at once says less than this. */
export const REPORTS_PER_SECOND_MAX = 100;
const OPENING_BRACE = 0x7b;
/** As JSON writers put it. A line costs this one look, unless it is a report or wants to pass for one. */
const REPORT = /"event"\s{0,9}:\s{0,9}"(?:listening|member-failing|draining|ready|not-ready)"/;

export interface ReportChannelParts {
  readonly terms: ReportTerms;
  /** Called with each report that is believed. */
  readonly onReport: (report: MemberReport) => void;
  /** Called with each line, whatever it is; the bytes are lent for the call. */
  readonly onLine?: (line: Buffer) => void;
}

export class ReportChannel {
  readonly #parts: ReportChannelParts;
  readonly #splitter: LineSplitter;
  #nowMs = 0;
  #secondBeganMs = Number.NEGATIVE_INFINITY;
  #inSecond = 0;
  #dropped = 0;
  /** Has a report of this run held the nonce? Then it knows of nonces. */
  #signs = false;
  #listens = false;
  #refused: string | undefined;

  constructor(parts: ReportChannelParts) {
    this.#parts = parts;
    this.#splitter = new LineSplitter((line) => {
      parts.onLine?.(line);
      this.#hear(line);
    });
  }

  /** Does the program put the nonce into its reports? */
  get signs(): boolean {
    return this.#signs;
  }

  get unheard(): Unheard {
    const refused = this.#listens ? undefined : this.#refused;
    return { bytes: this.#splitter.cutBytes, reports: this.#dropped, ...(refused === undefined ? {} : { refused }) };
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
    if (!REPORT.test(text) || this.#isForeign(text) || !this.#affords()) return;
    const report = parseReport(text);
    if (report !== undefined && this.#believes(report)) this.#parts.onReport(report);
  }

  /** Forged lines take nothing from the limit of those that are not. */
  #isForeign(text: string): boolean {
    const { nonce, mayOmit } = this.#parts.terms;
    if (nonce === undefined || text.includes(nonce)) return false;
    if (mayOmit && !this.#signs && !this.#listens) return false;
    if (!this.#listens && text.includes('"listening"')) this.#refused ??= NO_NONCE;
    return true;
  }

  #believes(report: MemberReport): boolean {
    const { terms } = this.#parts;
    const isSigned = terms.nonce === undefined || report.nonce === terms.nonce;
    this.#signs ||= isSigned && report.nonce !== undefined;
    if (report.kind !== "listening") return isSigned;
    if (!isSigned && (report.nonce !== undefined || !terms.mayOmit || this.#signs)) {
      this.#refused ??= NO_NONCE;
      return false;
    }
    if (this.#listens) return false;
    const odd = oddPort(report.ports, terms.ports);
    if (odd !== undefined) this.#refused = odd;
    this.#listens = odd === undefined;
    return this.#listens;
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

const NO_NONCE = "its listening line does not hold the REPORT_NONCE that it was started with";

function oddPort({ port, adminPort }: Ports, { traffic, admin }: ReportTerms["ports"]): string | undefined {
  if (port !== undefined && !traffic.has(port)) return odd(port, "PORT");
  return adminPort === undefined || admin.has(adminPort) ? undefined : odd(adminPort, "ADMIN_PORT");
}

function odd(port: number, setting: string): string {
  return `it says that it listens on port ${port}, which is not in its range: set ${setting} to it in its environment`;
}
