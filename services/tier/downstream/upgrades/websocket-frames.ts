// Pure. Where a WebSocket's bytes stand: between two frames or inside one (RFC 6455 section 5.2). Only between two frames may a tier put
// in a frame of its own.

/** The longest head of a frame: two bytes, eight of length, four of mask. */
const HEAD_BYTES_MAX = 14;

/** "Going away", as a server that stops says it (RFC 6455 section 7.4.1). Unmasked, for it goes to a client. */
export const CLOSE_GOING_AWAY: Buffer = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

export class WebSocketFrames {
  readonly #head = Buffer.alloc(HEAD_BYTES_MAX);
  #headBytes = 0;
  /** Of the payload, still to come. */
  #payloadBytes = 0;

  /** Does the next byte begin a frame? */
  get between(): boolean {
    return this.#headBytes === 0 && this.#payloadBytes === 0;
  }

  /** Follows the stream by its next bytes. */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#payloadBytes > 0) {
        const taken = Math.min(this.#payloadBytes, bytes.length - at);
        this.#payloadBytes -= taken;
        at += taken;
      } else {
        this.#head[this.#headBytes] = bytes[at] as number;
        this.#headBytes += 1;
        at += 1;
        this.#readHead();
      }
    }
  }

  #readHead(): void {
    if (this.#headBytes < 2) return;
    const second = this.#head[1] as number;
    const short = second & 0x7f;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const wholeHead = 2 + lengthBytes + (second & 0x80 ? 4 : 0);
    if (this.#headBytes < wholeHead) return;
    this.#payloadBytes = short;
    if (lengthBytes === 2) this.#payloadBytes = this.#head.readUInt16BE(2);
    if (lengthBytes === 8) this.#payloadBytes = Number(this.#head.readBigUInt64BE(2));
    this.#headBytes = 0;
  }
}
