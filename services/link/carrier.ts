// A carrier moves a session's bytes over any duplex stream and reports to one owner. Plain sockets that this file opens are read into
// one shared buffer (net's `onread`); other streams are read by 'data' events. Bytes that are written must not change afterwards.

import { connect, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Cursor } from "./cursor.ts";

export interface CarrierOwner {
  /** The bytes are borrowed until it returns, and whatever it leaves unread is lost. */
  onBytes(cursor: Cursor): void;
  /** All that was written has been taken. Also called when nobody was told to wait. */
  onDrain(): void;
  /** The other side has ended. */
  onEnd(): void;
  /** The connection is gone, and nothing else will be called. @param code of the error that ended it; none after a clean end */
  onClose(code: string | undefined): void;
}

export interface Carrier {
  readonly stream: Duplex;
  owner: CarrierOwner;
  /** @returns false when the other side is slower; onDrain() is called when it has caught up */
  writeBytes(bytes: Buffer): boolean;
  pause(): void;
  resume(): void;
  /** Says that nothing more will be written. */
  end(): void;
  /** Closes without another word to the owner. */
  destroy(): void;
}

const carried = Symbol("carrier");
type Carried = Duplex & { [carried]?: StreamCarrier };

/** The same memory for all, as only one socket is read at a time. */
const shared = new Cursor(Buffer.allocUnsafeSlow(64 * 1024));
const onread = { buffer: shared.bytes, callback: readDirectly };

const NOBODY: CarrierOwner = { onBytes() {}, onDrain() {}, onEnd() {}, onClose() {} };

/** Begins to connect; what becomes of it the owner hears, but for 'connect'. */
export function dial({ host, port }: { readonly host: string; readonly port: number }): StreamCarrier {
  return new StreamCarrier(connect({ host, port, noDelay: true, onread }), { direct: true });
}

/** May memory be used again as soon as the stream holds nothing back? Only a plain socket has then given it to the kernel. */
export function copiesAtOnce(stream: Duplex): boolean {
  return stream instanceof Socket && !("encrypted" in stream);
}

export class StreamCarrier implements Carrier {
  readonly stream: Duplex;
  owner: CarrierOwner = NOBODY;

  /** @param direct is the stream a socket that was made with this file's `onread`? */
  constructor(stream: Duplex, { direct }: { readonly direct: boolean } = { direct: false }) {
    this.stream = stream;
    (stream as Carried)[carried] = this;
    if (!direct) stream.on("data", onData);
    stream.on("drain", onDrain).on("end", onEnd).on("error", onError).on("close", onClose);
  }

  writeBytes(bytes: Buffer): boolean {
    return this.stream.destroyed || this.stream.write(bytes) || this.stream.writableLength === 0;
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  end(): void {
    this.stream.end();
  }

  destroy(): void {
    this.owner = NOBODY;
    this.stream.destroy();
  }

  gone(code: string | undefined): void {
    const { owner } = this;
    this.owner = NOBODY;
    owner.onClose(code);
  }
}

function readDirectly(this: unknown, length: number): boolean {
  shared.at = 0;
  shared.end = length;
  (this as Carried)[carried]?.owner.onBytes(shared);
  return true;
}

function onData(this: Carried, chunk: Buffer): void {
  this[carried]?.owner.onBytes(new Cursor(chunk));
}

function onDrain(this: Carried): void {
  this[carried]?.owner.onDrain();
}

function onEnd(this: Carried): void {
  this[carried]?.owner.onEnd();
}

function onError(this: Carried, { code, message }: NodeJS.ErrnoException): void {
  this[carried]?.gone(code ?? message);
}

function onClose(this: Carried): void {
  this[carried]?.gone(undefined);
}
