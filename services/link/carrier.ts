// A carrier moves a session's bytes, and reports to the session. It is what services/net calls a transport; these are the parts of it that
// a session needs.

import type { Duplex } from "node:stream";
import { connectDirectly } from "../net/sockets.ts";
import { Transport, type TransportOwner } from "../net/transport.ts";

export type CarrierOwner = TransportOwner;

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

/** Begins to connect; the owner hears of everything but the connection's beginning. */
export function dial({ host, port }: { readonly host: string; readonly port: number }): Transport {
  return new Transport(connectDirectly({ host, port }), { direct: true });
}
