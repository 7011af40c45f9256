// Pure. What a program of the user's writes, as facts for the log: line by line, so many a second and no more. It is never read as a
// report, whatever it looks like.

const LINES_PER_SECOND_MAX = 1_000;

export interface OutputLine {
  readonly line: string;
  /** So many lines before it were not logged. */
  readonly dropped?: number;
}

export class ProgramOutput {
  readonly #tell: (line: OutputLine) => void;
  #second = 0;
  #count = 0;
  #dropped = 0;

  constructor(tell: (line: OutputLine) => void) {
    this.#tell = tell;
  }

  push(line: string, nowMs: number): void {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) this.#count = 0;
    this.#second = second;
    this.#count += 1;
    if (this.#count > LINES_PER_SECOND_MAX) {
      this.#dropped += 1;
      return;
    }
    this.#tell({ line, ...(this.#dropped > 0 && { dropped: this.#dropped }) });
    this.#dropped = 0;
  }
}
