// The tier's node:http server, with a limit on everything a client can hold on to.

import { createServer, type Server } from "node:http";
import type { Settings } from "../../runtime/config.ts";
import type { TrustedPeers } from "../downstream/trusted-peers.ts";
import { answerClientErrors } from "./client-errors.ts";
import { TierRequest } from "./incoming.ts";
import { expectProxyProtocol } from "./proxy-header.ts";
import type { Turns } from "./turns.ts";

/** Far above what any client's pool keeps, so that it is the client that closes, and never in the middle of a reuse. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** A head that comes more slowly than this is an attack (slowloris), and is looked for often enough to matter. */
const HEAD_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 2_000;

export interface ServerParts {
  readonly settings: Settings;
  readonly trusted: TrustedPeers;
  readonly turns: Turns;
}

export function createTierServer({ settings, trusted, turns }: ServerParts): Server {
  const server = createServer({
    IncomingMessage: TierRequest,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    headersTimeout: HEAD_TIMEOUT_MS,
    // A long upload is no attack: it may take as long as it moves.
    requestTimeout: 0,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: settings.HEADER_BYTES_MAX,
    // request-rules.ts asks for one; node:http would refuse the request, but go on to what is behind it.
    requireHostHeader: false,
  });
  // All of them, for request-rules.ts to count: node:http's own limit drops headers without a word.
  server.maxHeadersCount = 0;
  server.maxConnections = settings.CONNECTIONS_MAX;
  server.setTimeout(settings.IDLE_TIMEOUT_MS);
  turns.follow(server);
  answerClientErrors(server, turns);
  if (settings.PROXY_PROTOCOL === "yes") expectProxyProtocol(server, trusted);
  return server;
}
