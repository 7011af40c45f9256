// A request's way into the tier: its head judged by the rules, and rewritten for this hop. Who may say where a request comes from is
// decided here, by the peer that sent it.

import { randomBytes } from "node:crypto";
import type { Fields } from "../../http/message/fields.ts";
import type { RequestHead } from "../../http/parsing/request-parser.ts";
import type { Settings } from "../../runtime/config.ts";
import { HEAD_BYTES_REWRITTEN } from "../rules/head-limits.ts";
import { requestFields } from "../rules/headers.ts";
import { type Destination, judge, type Refusal } from "../rules/request-rules.ts";
import { type TrustedPeers, unmapped } from "./trusted-peers.ts";

export type Admission =
  | {
      readonly ok: true;
      readonly to: Destination;
      /** As the member gets them. */
      readonly fields: Fields;
    }
  | { readonly ok: false; readonly refusal: Refusal };

export interface AdmissionOptions {
  readonly settings: Settings;
  /** Do clients reach this tier directly? Else its peers are tiers of ours, whose forwarded headers stand. */
  readonly edge: boolean;
  readonly trusted: TrustedPeers;
}

/** @param address the peer's */
export function admit(head: RequestHead, address: string | undefined, options: AdmissionOptions): Admission {
  const { ID: pseudonym, HEADERS_MAX: headersMax, HEADER_BYTES_MAX, BODY_BYTES_MAX: bodyBytesMax } = options.settings;
  const headBytesMax = HEADER_BYTES_MAX + (options.edge ? 0 : HEAD_BYTES_REWRITTEN);
  const judged = judge(head, { pseudonym, headersMax, headBytesMax, bodyBytesMax });
  if (!judged.ok) return judged;
  const peer = unmapped(address ?? "unknown");
  const { to } = judged;
  const forwarded = forwardedOf(peer, options);
  return {
    ok: true,
    to,
    fields: requestFields(head, { forwarded, pseudonym, peer, host: to.host, requestId, traceparent }),
  };
}

function forwardedOf(peer: string, { edge, trusted }: AdmissionOptions): "overwrite" | "append" | "keep" {
  if (!edge) return "keep";
  return trusted(peer) ? "append" : "overwrite";
}

/** RFC 9562 section 5.4: a UUID of version 4, from the same pool as all else. */
function requestId(): string {
  const hex = randomHex(16);
  const variant = "89ab"[hex.charCodeAt(16) & 3];
  const end = `${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${end}`;
}

/** Random bytes are asked for in one go: each call of the system costs as much as parsing a request. */
const POOL_BYTES = 40 * 256;
let pool = "";
let used = 0;

function randomHex(bytes: number): string {
  if (used + bytes * 2 > pool.length) {
    pool = randomBytes(POOL_BYTES).toString("hex");
    used = 0;
  }
  used += bytes * 2;
  return pool.slice(used - bytes * 2, used);
}

/** https://www.w3.org/TR/trace-context/: version, trace id, parent id, and the flag that says "sampled". */
function traceparent(): string {
  return `00-${randomHex(16)}-${randomHex(8)}-01`;
}
