// The client's side of one exchange, however its bytes come and go: a connection of HTTP/1.1 (http/server/server-exchange.ts), or a stream
// of a link from the tier in front (links/link-exchange.ts).

import type { Fields } from "../../http/message/fields.ts";
import type { RequestHead } from "../../http/parsing/request-parser.ts";
import type { RequestHandler } from "../../http/server/server-exchange.ts";

export interface ClientSide {
  readonly request: RequestHead;
  /** Hears what comes behind the request's head. */
  handler: RequestHandler;
  /** May another request follow on the connection? */
  keepAlive: boolean;
  readonly remoteAddress: string | undefined;
  /** Has the head of the answer been given? */
  readonly started: boolean;
  /** Holds the request's body back. */
  pause(): void;
  resume(): void;
  /** Tells a client that waits for it to send its body, once. */
  continue(): void;
  /** @returns false when the client is slower */
  informational(status: number, reason: string, fields: Fields): boolean;
  head(status: number, reason: string, fields: Fields): void;
  /** @returns false when the client is slower: then onDrain() is called */
  data(chunk: Buffer): boolean;
  /** @param trailers flat */
  end(trailers?: readonly string[]): void;
  /** Ends an answer that has begun so that the client sees that it is not whole. */
  breakOff(): void;
}
