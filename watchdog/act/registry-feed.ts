// Gives the registry to tiers that share no file with the watchdog: `GET /registry?after=VERSION` is answered as soon as there is a newer
// document, and by 204 when there has been none for a while. How many wait is bounded; each document is packed once for all of them.

import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { Request, RequestHandler, Response } from "express";
import { isNewerVersion, type Registry } from "../../services/registry/document.ts";

/** Below what proxies and kept connections put an end to. */
const HOLD_MS = 25_000;
const WAITING_MAX = 512;
/** A document in one packet gains nothing by being packed. */
const PACKED_FROM_BYTES = 1_024;

interface Waiting {
  readonly response: Response;
  readonly packs: boolean;
  readonly timer: NodeJS.Timeout;
}

export interface FeedOptions {
  readonly registry: () => Registry;
  /** A follower holds this version, and waits for a newer one. */
  readonly onHeard: (version: number) => void;
}

interface Document {
  readonly version: number;
  readonly text: string;
  packed?: Promise<Buffer>;
}

const pack = promisify(gzip);

export class RegistryFeed {
  readonly #options: FeedOptions;
  readonly #waiting = new Set<Waiting>();
  #document: Document | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  readonly answer: RequestHandler = (request, response) => {
    const after = versionOf(request);
    if (after === "faulty") {
      response.status(400).type("text").send("after is the version you have: a whole number\n");
      return;
    }
    const { version } = this.#options.registry();
    const isThere = version > 0 && (after === undefined || isNewerVersion(version, after));
    const packs = request.acceptsEncodings("gzip") === "gzip";
    if (isThere) void this.#send({ response, packs });
    else {
      if (after !== undefined) this.#options.onHeard(after);
      this.#wait(response, packs);
    }
  };

  /** There is a new document. */
  published(): void {
    for (const waiting of this.#waiting) {
      this.#leave(waiting);
      void this.#send(waiting);
    }
  }

  /** All that wait are told that there was nothing. */
  close(): void {
    for (const waiting of this.#waiting) this.#giveUp(waiting);
  }

  #wait(response: Response, packs: boolean): void {
    if (this.#waiting.size >= WAITING_MAX) {
      response.status(503).set("Retry-After", "1").type("text").send(`${WAITING_MAX} wait for the registry already\n`);
      return;
    }
    const waiting: Waiting = { response, packs, timer: setTimeout(() => this.#giveUp(waiting), HOLD_MS).unref() };
    this.#waiting.add(waiting);
    // Nobody stands still here: to wait is what was asked for. With the next request the server's own limit is back.
    response.socket?.setTimeout(2 * HOLD_MS);
    response.once("close", () => this.#leave(waiting));
  }

  #leave(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.#waiting.delete(waiting);
  }

  #giveUp(waiting: Waiting): void {
    this.#leave(waiting);
    waiting.response.status(204).end();
  }

  async #send({ response, packs }: Pick<Waiting, "response" | "packs">): Promise<void> {
    const document = this.#current();
    response.type("json").set("Cache-Control", "no-store").set("Vary", "Accept-Encoding");
    if (!packs || document.text.length < PACKED_FROM_BYTES) {
      response.end(document.text);
      return;
    }
    document.packed ??= pack(document.text);
    const packed = await document.packed;
    if (!response.writableEnded) response.set("Content-Encoding", "gzip").end(packed);
  }

  #current(): Document {
    const registry = this.#options.registry();
    if (this.#document?.version !== registry.version)
      this.#document = { version: registry.version, text: `${JSON.stringify(registry)}\n` };
    return this.#document;
  }
}

function versionOf({ query }: Request): number | undefined | "faulty" {
  const { after } = query;
  if (after === undefined) return undefined;
  const version = typeof after === "string" && /^\d{1,16}$/.test(after) ? Number(after) : Number.NaN;
  return Number.isSafeInteger(version) ? version : "faulty";
}
