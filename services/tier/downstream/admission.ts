// A request's way into the tier: its head judged by the rules, and rewritten for this hop. Who may say where a request comes from is
// decided here, by the peer that sent it.

import { randomBytes, randomUUID } from "node:crypto";
import type { Settings } from "../../runtime/config.ts";
import { requestHeaders } from "../rules/headers.ts";
import { type Destination, judge, type Refusal, type RequestHead } from "../rules/request-rules.ts";
import { type TrustedPeers, unmapped } from "./trusted-peers.ts";

export type Admission =
  | {
      readonly ok: true;
      readonly to: Destination;
      /** As the member gets them. */
      readonly headers: readonly string[];
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
  const { ID: pseudonym, HEADERS_MAX: headersMax, BODY_BYTES_MAX: bodyBytesMax } = options.settings;
  const judged = judge(head, { pseudonym, headersMax, bodyBytesMax });
  if (!judged.ok) return judged;
  const peer = unmapped(address ?? "unknown");
  const headers = requestHeaders(head.rawHeaders, {
    forwarded: forwardedOf(peer, options),
    pseudonym,
    peer,
    host: judged.to.host,
    method: head.method,
    httpVersion: head.httpVersion,
    requestId: randomUUID,
    traceparent,
  });
  return { ok: true, to: judged.to, headers };
}

function forwardedOf(peer: string, { edge, trusted }: AdmissionOptions): "overwrite" | "append" | "keep" {
  if (!edge) return "keep";
  return trusted(peer) ? "append" : "overwrite";
}

/** https://www.w3.org/TR/trace-context/: version, trace id, parent id, and the flag that says "sampled". */
function traceparent(): string {
  return `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
}
