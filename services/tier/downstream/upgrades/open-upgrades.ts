// The upgraded connections that are open, each a client's socket joined to a member's. No request's end ends them: a tier that stops
// tells each, with a WebSocket close where one fits in, else by ending its side.

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { CLOSE_GOING_AWAY, WebSocketFrames } from "./websocket-frames.ts";

/** How long a client may take to end its side. */
const LINGER_MS = 1_000;

interface OpenUpgrade {
  readonly client: Socket;
  readonly member: Socket;
  readonly isWebSocket: boolean;
}

export class OpenUpgrades {
  /** With where the bytes towards the client stand, for a WebSocket. */
  readonly #open = new Map<OpenUpgrade, WebSocketFrames | undefined>();
  readonly #ending = new Set<OpenUpgrade>();

  get size(): number {
    return this.#open.size;
  }

  /** Both sides are joined; no byte has passed yet. */
  add(upgrade: OpenUpgrade): void {
    const frames = upgrade.isWebSocket ? new WebSocketFrames() : undefined;
    if (frames !== undefined) upgrade.member.on("data", (bytes: Buffer) => frames.push(bytes));
    this.#open.set(upgrade, frames);
    upgrade.member.once("close", () => awaitEnd(upgrade.client));
    upgrade.client.once("close", () => {
      this.#open.delete(upgrade);
      this.#ending.delete(upgrade);
    });
  }

  /** Tells each that has not been told yet that it ends, and ends it. @returns how many */
  end(): number {
    const open = [...this.#open].filter(([upgrade]) => !this.#ending.has(upgrade));
    for (const [upgrade, frames] of open) {
      const { client, member } = upgrade;
      this.#ending.add(upgrade);
      // Nothing more of the member's may come behind the close; what the client still says reaches the member.
      member.unpipe(client).resume();
      if (frames?.between) client.write(CLOSE_GOING_AWAY);
      client.end();
      limitEnd(client);
    }
    return open.length;
  }
}

/** The member is gone, and with it whoever read what the client says: unread, its end would never be seen, and its socket stay open. */
function awaitEnd(client: Socket): void {
  client.resume();
  if (client.writableFinished) limitEnd(client);
  else client.end(() => limitEnd(client));
}

/** Ends a client's connection behind these bytes; what it still sends is read and dropped. */
export function endWith(client: Duplex, bytes: string): void {
  client.resume();
  client.end(bytes, "latin1", () => limitEnd(client));
}

/** A client that was told the end and does not end its side has so long for it. */
export function limitEnd(client: Duplex): void {
  const limit = setTimeout(() => client.destroy(), LINGER_MS);
  client.once("close", () => clearTimeout(limit));
}
