// Pure. Text for a terminal: rows as columns that stand under each other, and nothing in them that would steer the terminal.

export interface Column {
  readonly title: string;
  readonly align?: "right";
  /** At least as many characters, so that tables of several runs look alike. */
  readonly width?: number;
}

const GAP = "  ";
const COUNT_WIDTH = 7;

/** Lines without a last newline; the last column is as long as it likes. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(plain))];
  const widths = columns.map(({ width = 0 }, index) => Math.max(width, ...lines.map((line) => lengthOf(line[index]))));
  const written = lines.map((line) =>
    columns
      .map(({ align }, index) => pad(line[index] ?? "", widths[index] as number, align))
      .join(GAP)
      .trimEnd(),
  );
  return written.join("\n");
}

interface Place {
  /** Where it begins. */
  readonly indent: number;
  /** Where a line ends. */
  readonly columns: number;
}

/** Breaks lines between words; the first is not indented. */
export function wrapped(text: string, { indent, columns }: Place): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && indent + lengthOf(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}

/** How often something came, as a line: counts of several lines stand under each other. */
export function countLine(count: number, text: string): string {
  return `${pad(String(count), COUNT_WIDTH, "right")}${GAP}${plain(text)}`;
}

/**
 * Makes harmless what somebody else wrote, such as a log line: escape sequences could rewrite the screen or what is typed next
 * (CVE-2003-0063 and its many heirs), and a line break would end the row.
 */
export function plain(text: string): string {
  return text
    .replaceAll("\t", "  ")
    .replace(
      /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
      (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
    );
}

function pad(text: string, size: number, align: Column["align"]): string {
  const room = " ".repeat(Math.max(0, size - lengthOf(text)));
  return align === "right" ? room + text : text + room;
}

/** In characters: those that take two columns are rare in ids and reasons. */
function lengthOf(text = ""): number {
  return [...text].length;
}
