// A few lines at the end of a terminal that are drawn anew in their place: a progress bar, a live table. At most so many
// draws a second, however often it is told; colours only where the terminal has them and NO_COLOR does not forbid them.

const DRAW_EVERY_MS = 100;
const COLOURS = { good: 32, odd: 33, bad: 31 } as const;

export interface LiveLine {
  /** Nothing in it steers the terminal. */
  readonly text: string;
  readonly tone?: keyof typeof COLOURS;
}

/** What is needed of `process.stderr`. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  write(text: string): unknown;
  hasColors(): boolean;
}

export class LiveLines {
  readonly #terminal: Terminal;
  readonly #nowMs: () => number;
  #drawnMs = Number.NEGATIVE_INFINITY;
  /** How many lines stand there. */
  #height = 0;

  /** @param nowMs any clock that only goes forward */
  constructor(terminal: Terminal, nowMs: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#nowMs = nowMs;
  }

  /** Draws them in the place of those before, unless that was a moment ago. @param linesOf asked only when they are drawn */
  draw(linesOf: () => readonly LiveLine[]): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#drawnMs < DRAW_EVERY_MS) return;
    this.#drawnMs = nowMs;
    // A line that wraps, or one past the last row, would stand where it cannot be taken back.
    const lines = linesOf().slice(0, Math.max(1, this.#terminal.rows - 1));
    this.#terminal.write(this.#toTop() + lines.map((line) => this.#shown(line)).join("\n"));
    this.#height = lines.length;
  }

  /** Takes them away; what is written next stands in their place. */
  clear(): void {
    if (this.#height > 0) this.#terminal.write(this.#toTop());
    this.#height = 0;
  }

  /** Leaves them as they stand; what is written next comes below. */
  leave(): void {
    if (this.#height > 0) this.#terminal.write("\n");
    this.#height = 0;
  }

  #toTop(): string {
    const up = this.#height > 1 ? `\x1b[${this.#height - 1}A` : "";
    return this.#height === 0 ? "" : `\r${up}\x1b[J`;
  }

  #shown({ text, tone }: LiveLine): string {
    const cut = [...text].slice(0, Math.max(1, this.#terminal.columns - 1)).join("");
    return tone === undefined || !this.#terminal.hasColors() ? cut : `\x1b[${COLOURS[tone]}m${cut}\x1b[0m`;
  }
}

/** The terminal that stderr is. @returns undefined: it is a pipe or a file, where nothing can be drawn */
export function terminalOf(stream: NodeJS.WriteStream): Terminal | undefined {
  if (!stream.isTTY) return undefined;
  return {
    // One without a size has none to keep to.
    get columns() {
      return stream.columns || Number.POSITIVE_INFINITY;
    },
    get rows() {
      return stream.rows || Number.POSITIVE_INFINITY;
    },
    write: (text) => stream.write(text),
    hasColors: () => stream.hasColors(),
  };
}
