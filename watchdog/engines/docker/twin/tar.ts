// Pure. An archive as the engine takes and gives files in (ustar): the one file in what it gives, and several for what it takes.

export interface ArchivedFile {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly content: Buffer;
}

const BLOCK = 512;
/** [begin, length] of the header's fields. */
const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  sum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
  prefix: [345, 155],
} as const;
type Field = keyof typeof FIELD;
const PLAIN = new Set(["0", "\0"]);

/** @returns undefined where there is no plain file in it, or it is cut short */
export function fileIn(archive: Buffer): ArchivedFile | undefined {
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const head = archive.subarray(at, at + BLOCK);
    const size = number(head, "size");
    if (Number.isNaN(size)) return undefined;
    const content = archive.subarray(at + BLOCK, at + BLOCK + size);
    const type = text(head, "type");
    if (PLAIN.has(type) && head[0] !== 0) {
      const [mode, uid, gid] = (["mode", "uid", "gid"] as const).map((field) => number(head, field));
      const whole = content.length === size && [mode, uid, gid].every((value) => !Number.isNaN(value));
      return whole ? { mode: mode as number, uid: uid as number, gid: gid as number, content } : undefined;
    }
    // What stands before a file says more of it, such as a time to the nanosecond.
    at += BLOCK + padded(size);
  }
  return undefined;
}

/** @param atSeconds the time of all of them @returns undefined when a path is too long */
export function archiveOf(files: ReadonlyMap<string, ArchivedFile>, atSeconds: number): Buffer | undefined {
  const pieces: Buffer[] = [];
  for (const [path, file] of files) {
    const head = headOf(path.replace(/^\/+/, ""), file, atSeconds);
    if (head === undefined) return undefined;
    pieces.push(head, file.content, Buffer.alloc(padded(file.content.length) - file.content.length));
  }
  return Buffer.concat([...pieces, Buffer.alloc(2 * BLOCK)]);
}

function headOf(path: string, { mode, uid, gid, content }: ArchivedFile, atSeconds: number): Buffer | undefined {
  const [prefix, name] = split(path);
  if (Buffer.byteLength(name) > FIELD.name[1] || Buffer.byteLength(prefix) > FIELD.prefix[1]) return undefined;
  const head = Buffer.alloc(BLOCK);
  const put = (field: Field, value: string) => head.write(value, FIELD[field][0]);
  put("name", name);
  put("prefix", prefix);
  for (const [field, value] of Object.entries({ mode, uid, gid, size: content.length, mtime: atSeconds })) {
    put(field as Field, value.toString(8).padStart(FIELD[field as Field][1] - 1, "0"));
  }
  put("type", "0");
  put("magic", "ustar\x0000");
  // Its own sum is taken for spaces.
  put("sum", " ".repeat(FIELD.sum[1]));
  const sum = head.reduce((total, byte) => total + byte, 0);
  put("sum", `${sum.toString(8).padStart(6, "0")}\0 `);
  return head;
}

/** In front of a slash, as late as the name's field allows. */
function split(path: string): readonly [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= FIELD.name[1]) return ["", path];
  const slash = [...path.matchAll(/\//g)].find(
    ({ index }) => Buffer.byteLength(path.slice(index + 1)) <= FIELD.name[1],
  );
  return slash === undefined ? ["", path] : [path.slice(0, slash.index), path.slice(slash.index + 1)];
}

const padded = (size: number) => Math.ceil(size / BLOCK) * BLOCK;

function text(head: Buffer, field: Field): string {
  const [begin, length] = FIELD[field];
  return head.toString("latin1", begin, begin + length);
}

/** Octal digits; NaN for any other way to write a number. */
function number(head: Buffer, field: Field): number {
  const digits = text(head, field).replace(/[\0 ]+$/, "");
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : Number.NaN;
}
