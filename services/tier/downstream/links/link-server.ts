// The links from the tiers in front of this one: each is a connection on the ordinary port that asked for it, with many exchanges on it.

import type { Fault } from "../../../http/message/faults.ts";
import { RequestParser } from "../../../http/parsing/request-parser.ts";
import { WholeHeads } from "../../../http/parsing/whole-heads.ts";
import type { HandedOver } from "../../../http/server/server-exchange.ts";
import { acceptSession } from "../../../link/accept.ts";
import type { Session } from "../../../link/session.ts";
import type { Stream } from "../../../link/stream.ts";
import type { ClientSide } from "../client-side.ts";
import type { LocalReply } from "../local-replies.ts";
import { type LinkContext, LinkExchange } from "./link-exchange.ts";

/** A tier that is silent for so long is given up. */
const SILENCE_MS_MAX = 15_000;

interface LinkLimits {
  readonly headBytesMax: number;
  readonly fieldsMax: number;
  /** 0: any size. */
  readonly bodyBytesMax: number;
}

export interface LinkServerParts {
  readonly limits: LinkLimits;
  /** How many exchanges of one link are carried out at a time. */
  readonly streamsMax: number;
  readonly onRequest: (client: ClientSide) => void;
  readonly onFault: (fault: Fault) => LocalReply;
}

export class LinkServer {
  readonly #parts: LinkServerParts;
  readonly #sessions = new Set<Session>();

  constructor(parts: LinkServerParts) {
    this.#parts = parts;
  }

  /** @param handedOver a connection that has asked for the link, and nothing else yet */
  take({ transport, unread }: HandedOver): void {
    const { limits, streamsMax, onRequest, onFault } = this.#parts;
    const { remoteAddress } = transport;
    const heads = new WholeHeads(() => new RequestParser(limits));
    const context: LinkContext = { heads, bodyBytesMax: limits.bodyBytesMax, remoteAddress, onRequest, onFault };
    // Bytes that came with the request may end it at once.
    let session: Session | undefined;
    session = acceptSession({
      carrier: transport,
      early: unread,
      settings: { streamsMax, headBytesMax: limits.headBytesMax, silenceMsMax: SILENCE_MS_MAX },
      owner: {
        onOpen: () => {},
        onGoaway: () => {},
        onStream: (stream: Stream) => new LinkExchange(stream, context),
        onClose: () => session !== undefined && this.#sessions.delete(session),
      },
    });
    if (!session.closed) this.#sessions.add(session);
  }

  /** No new exchanges; each link ends with its last one. */
  drain(): void {
    for (const session of this.#sessions) session.drain();
  }

  cut(): void {
    for (const session of this.#sessions) session.destroy();
  }
}
