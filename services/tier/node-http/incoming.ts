// The requests of a tier's listener, with one change to node:http: with an 'upgrade' listener, node:http on Node 20 takes
// every request with an Upgrade header off the HTTP path (nodejs/node#57054), so that `curl --http2` would be broken.
// Here a request is an upgrade only when it is one that a tier tunnels; any other is answered as plain HTTP/1.1.

import { IncomingMessage } from "node:http";
import { requestFraming } from "../../http/framing.ts";

/** Upgrades of the hop itself, which we decline by ignoring them (RFC 9110 section 7.8); all others are somebody's protocol. */
const DECLINED = /^(?:h2c?|http\/|tls\/)/i;

const asked = Symbol("asked");

export class TierRequest extends IncomingMessage {
  declare [asked]: boolean | null;

  /** Set by node:http's parser before the headers are known, read by it after. */
  get upgrade(): boolean | null {
    return this[asked] && (this.method === "CONNECT" || isTunnelled(this));
  }

  set upgrade(value: boolean | null) {
    this[asked] = value;
  }

  /**
   * Is it an upgrade that is answered as if it were none? node:http's parser stops behind one all the same, and drops what came
   * in the same segment: the next request, or the beginning of it.
   */
  get declined(): boolean {
    return this[asked] === true && !this.upgrade;
  }
}

function isTunnelled({ httpVersion, headers, rawHeaders }: IncomingMessage): boolean {
  const protocols = (headers.upgrade ?? "").split(",").map((protocol) => protocol.trim());
  // What a body would mean before the protocol changes, only HTTP knows; so that request is left to HTTP.
  const hasBody = requestFraming(rawHeaders).kind !== "none";
  return httpVersion === "1.1" && !hasBody && protocols.some((protocol) => protocol !== "" && !DECLINED.test(protocol));
}
