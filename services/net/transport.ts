// Bytes both ways over any duplex stream, and one owner who is told of them. A plain socket that sockets.ts has seen to is read into one
// buffer that all of them share; any other stream says 'data'. Whoever writes gives bytes away or has copied them: what the kernel
// does not take at once is sent later from where it stands.

import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Block } from "./blocks.ts";
import { Cursor } from "./cursor.ts";
import { mayReadOn } from "./fair-reading.ts";
import { enterTurn, leaveTurn } from "./turn.ts";

export interface TransportOwner {
  /** The bytes are borrowed until it returns, and whatever it leaves unread is lost. */
  onBytes(cursor: Cursor): void;
  /** All that was written has been taken. Also called when nobody was told to wait. */
  onDrain(): void;
  /** The other side has ended; it may still read. */
  onEnd(): void;
  /** The connection is gone, and nothing else will be called. @param code of the error that ended it; none after a clean end */
  onClose(code: string | undefined): void;
}

const attached = Symbol("transport");

/** A stream that knows its transport, so that all of them can share their listeners. */
type Attached = Duplex & { [attached]?: Transport | undefined };

/** For the `onread` of sockets that are read directly; the same memory for all, as only one is read at a time. */
const shared = new Cursor(Buffer.allocUnsafeSlow(64 * 1024));
export const onread = { buffer: shared.bytes, callback: readDirectly };

export class Transport {
  readonly stream: Duplex;
  #owner: TransportOwner | undefined;
  #remoteAddress: string | undefined;
  #closed = false;
  #paused = false;
  #resting = false;

  /** @param direct is the stream a socket that is read by this file's `onread`? */
  constructor(stream: Duplex, { direct }: { readonly direct: boolean }) {
    this.stream = stream;
    (stream as Attached)[attached] = this;
    if (!direct) stream.on("data", onData);
    stream.on("drain", onDrain).on("end", onEnd).on("error", onError).on("close", onClose);
  }

  /** Of the other side: asked for once, as a connection that has been reset has none. */
  get remoteAddress(): string | undefined {
    this.#remoteAddress ??= (this.stream as Socket).remoteAddress;
    return this.#remoteAddress;
  }

  /** For whoever knows better, such as the PROXY protocol. */
  set remoteAddress(address: string | undefined) {
    this.#remoteAddress = address;
  }

  /** How many bytes were written in all. */
  get bytesSent(): number {
    return (this.stream as Socket).bytesWritten ?? 0;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Gives the connection to its owner, or to another. */
  set owner(owner: TransportOwner) {
    this.#owner = owner;
  }

  /** @returns false when the other side is slower; onDrain() is called when it has caught up */
  write(text: string): boolean {
    return this.#closed || this.stream.write(text, "latin1") || this.stream.writableLength === 0;
  }

  /** The same for bytes that nobody changes any more. */
  writeBytes(bytes: Buffer): boolean {
    return this.#closed || this.stream.write(bytes) || this.stream.writableLength === 0;
  }

  /** The same for the beginning of a block, which is given back when it has been taken. */
  writeBlock(block: Block, length: number): boolean {
    const bytes = block.bytes.subarray(0, length);
    // Behind others it would be held for long: what waits there shall cost no more memory than it has bytes.
    if (this.#closed || this.stream.writableLength > 0 || !copiesAtOnce(this.stream)) {
      const copied = this.#closed || this.writeBytes(Buffer.from(bytes));
      block.giveBack();
      return copied;
    }
    return this.stream.write(bytes, block.giveBack) || this.stream.writableLength === 0;
  }

  pause(): void {
    if (this.#paused || this.#closed) return;
    this.#paused = true;
    if (!this.#resting) this.stream.pause();
  }

  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    if (!this.#resting) this.stream.resume();
  }

  /** Says that nothing more will be written; reading goes on. */
  end(): void {
    if (!this.#closed) this.stream.end();
  }

  /**
   * For whom the end of the connection means something: was it one, or a reset? Of a reset that comes with the last bytes libuv says that
   * the other side has ended (uv__stream_io, where POLLHUP comes with a partial read); to write nothing fails then, which onClose() tells.
   * @param onConfirmed called when it was an end
   */
  confirmEnd(onConfirmed: () => void): void {
    const { stream } = this;
    // Behind what the other side does not read it would not be written: then there is no telling.
    if (!(stream instanceof Socket) || stream.writableLength > 0) onConfirmed();
    else {
      stream.write("", (error) => {
        if (!error && !this.#closed) this.#inTurn(onConfirmed);
      });
    }
  }

  /** Closes without another word to the owner. */
  destroy(): void {
    this.#close();
    this.stream.destroy();
  }

  /** The same so that the other side cannot take it for a clean end. */
  reset(): void {
    this.#close();
    if ("resetAndDestroy" in this.stream) (this.stream as Socket).resetAndDestroy();
    else this.stream.destroy();
  }

  /**
   * Lets go of the stream, paused, and as if nobody had read from it; it must be resumed by whoever gets it.
   * @param unread what was read and belongs to them
   */
  release(unread: Buffer): Duplex {
    const { stream } = this;
    this.#close();
    (stream as Attached)[attached] = undefined;
    stream.off("data", onData).off("drain", onDrain).off("end", onEnd).off("error", onError).off("close", onClose);
    stream.pause();
    if (unread.length > 0) stream.unshift(unread);
    return stream;
  }

  received(cursor: Cursor): void {
    if (this.#closed) return;
    const bytes = cursor.end;
    enterTurn();
    try {
      this.#owner?.onBytes(cursor);
    } finally {
      leaveTurn();
    }
    if (bytes >= shared.bytes.length && !this.#closed) this.#restIfOverdone(bytes);
  }

  goOn(): void {
    this.#resting = false;
    if (!this.#paused && !this.#closed) this.stream.resume();
  }

  drained(): void {
    this.#inTurn(() => this.#owner?.onDrain());
  }

  ended(): void {
    this.#inTurn(() => this.#owner?.onEnd());
  }

  gone(code: string | undefined): void {
    if (this.#closed) return;
    const owner = this.#owner;
    this.#close();
    enterTurn();
    try {
      owner?.onClose(code);
    } finally {
      leaveTurn();
    }
  }

  #inTurn(act: () => void): void {
    enterTurn();
    try {
      act();
    } finally {
      leaveTurn();
    }
  }

  #restIfOverdone(bytes: number): void {
    if (this.#resting || mayReadOn(this, bytes)) return;
    this.#resting = true;
    if (!this.#paused) this.stream.pause();
  }

  #close(): void {
    this.#closed = true;
    this.#owner = undefined;
  }
}

/** May memory be used again as soon as the stream has taken it? Only a plain socket has then given it to the kernel. */
export function copiesAtOnce(stream: Duplex): boolean {
  return stream instanceof Socket && !("encrypted" in stream);
}

function readDirectly(this: unknown, length: number): boolean {
  const socket = this as Attached;
  const transport = socket[attached];
  // It was released: from now on it is a stream like any other.
  if (transport === undefined) return socket.push(Buffer.from(shared.bytes.subarray(0, length)));
  shared.at = 0;
  shared.end = length;
  transport.received(shared);
  return true;
}

function onData(this: Attached, chunk: Buffer): void {
  this[attached]?.received(new Cursor(chunk));
}

function onDrain(this: Attached): void {
  this[attached]?.drained();
}

function onEnd(this: Attached): void {
  this[attached]?.ended();
}

function onError(this: Attached, { code, message }: NodeJS.ErrnoException): void {
  this[attached]?.gone(code ?? message);
}

function onClose(this: Attached): void {
  this[attached]?.gone(undefined);
}
