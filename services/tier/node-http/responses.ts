// A local reply over node:http.

import type { ServerResponse } from "node:http";
import type { LocalReply } from "../downstream/local-replies.ts";
import { discardRest } from "./discard.ts";

/** @returns its status */
export function write(response: ServerResponse, { status, reason, headers, text, close }: LocalReply): number {
  response.writeHead(status, reason, close ? [...headers, "Connection", "close"] : [...headers]);
  if (!close) {
    response.end(text === "" ? undefined : text);
    return status;
  }
  response.write(text);
  // The end closes the connection; with bytes of the client's unread that would be a reset, which takes the answer with it.
  discardRest(response.req, () => response.end());
  return status;
}
