// What a client gets whose bytes are no HTTP/1, or do not come in time. node:http would say so ahead of the answers to what came before,
// and then cut the connection under its own words.

import type { Server } from "node:http";
import type { Duplex } from "node:stream";
import { clientErrorReply, closingBytes } from "../downstream/local-replies.ts";
import type { Turns } from "./turns.ts";

/** Of node:http's errors; any other is a 400. */
const STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
/** How long the client may take to notice. */
const LINGER_MS = 1_000;

export function answerClientErrors(server: Server, turns: Turns): void {
  server.on("clientError", ({ code = "" }: NodeJS.ErrnoException, socket: Duplex) => {
    // Behind a request that says "close" nothing counts (RFC 9112 section 9.6), and nothing behind a client error.
    if (code === "HPE_CLOSED_CONNECTION" || !socket.writable) return;
    const words = closingBytes(clientErrorReply(STATUS[code] ?? 400));
    const pending = turns.pending(socket);
    // It has been refused, and its body turns out to be no better.
    if (turns.isOver(socket)) pending?.end();
    else if (pending?.req.complete === false) cut(socket, pending.headersSent ? "" : words);
    else turns.after(socket, () => hangUp(socket, words));
  });
}

/** The error is in the body of a request that is under way: its attempt ends with the connection. */
function cut(socket: Duplex, words: string): void {
  socket.write(words);
  socket.destroy();
}

/** What still comes is read and dropped, so that the words are not lost to a reset (RFC 9112 section 9.6). */
function hangUp(socket: Duplex, words: string): void {
  socket.end(words);
  const limit = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(limit));
}
