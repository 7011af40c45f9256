// Pure. Header lines on their way out, as text that is ready to be sent, beside the one thing that the engine must know of them.

import type { MessageHead } from "./message-head.ts";

export interface Fields {
  /** Whole lines, each with its end. Connection and Transfer-Encoding are none of them: the engine writes those. */
  readonly text: string;
  /** Content-Length as one of them says it, in bytes; -1: none does. */
  readonly length: number;
}

export const NO_FIELDS: Fields = { text: "", length: -1 };

/** @param flat name, value, name, value */
export function fieldsOf(flat: readonly string[]): Fields {
  let text = "";
  let length = -1;
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = flat[index] as string;
    const value = flat[index + 1] as string;
    text += `${name}: ${value}\r\n`;
    if (name.length === 14 && name.toLowerCase() === "content-length") length = Number(value);
  }
  return { text, length };
}

/** The lines of a head without those of some known headers, all others as they came: order, case, spaces. */
export function linesWithout(head: MessageHead, ids: number): string {
  if ((head.seen & ids) === 0) return head.text.slice(head.fieldsFrom, head.fieldsTo);
  let lines = "";
  let from = head.fieldsFrom;
  for (let line = 0; line < head.count; line += 1) {
    const id = head.idAt(line);
    if (id === 0 || id > 31 || (ids & (1 << id)) === 0) continue;
    lines += head.text.slice(from, head.offsetOf(line));
    from = head.offsetOf(line + 1);
  }
  return lines + head.text.slice(from, head.fieldsTo);
}
