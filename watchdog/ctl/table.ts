// Pure. Text for a terminal: rows as columns that stand under each other, and nothing in them that would steer the terminal.

export interface Column {
  readonly title: string;
  readonly align?: "right";
}

const GAP = "  ";

/** Lines without a last newline; the last column is as long as it likes. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(plain))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => width(line[index]))));
  const written = lines.map((line) =>
    columns
      .map(({ align }, index) => pad(line[index] ?? "", widths[index] as number, align))
      .join(GAP)
      .trimEnd(),
  );
  return written.join("\n");
}

/**
 * Text of somebody else's, such as a log line, made harmless: escape sequences could rewrite the screen or what is typed next
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
  const room = " ".repeat(Math.max(0, size - width(text)));
  return align === "right" ? room + text : text + room;
}

/** In characters: those that take two columns are rare in ids and reasons. */
function width(text = ""): number {
  return [...text].length;
}
