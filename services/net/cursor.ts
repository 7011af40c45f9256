// Pure. Bytes that came from a connection, and how far they have been read. There is one cursor to a source, moved on by whoever
// reads, so that a read makes no object. The bytes are borrowed: they may change as soon as the callback returns that got them.

export class Cursor {
  bytes: Buffer;
  /** The next byte to be read. */
  at = 0;
  /** Behind the last byte that came. */
  end: number;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  get left(): number {
    return this.end - this.at;
  }
}
