// Where a request of the client goes, and what its answer says: who served it, through which proxy, or why nobody did.

import type { Fetched } from "../command-line/fetch-text.ts";

export type RequestResult =
  | { readonly ok: true; readonly server: string; readonly proxy: string; readonly ms: number; readonly body: string }
  /** `kind`: a status, or an error's code. */
  | { readonly ok: false; readonly kind: string; readonly reason: string };

/** @param client the client's number */
export function targetOf(url: URL, client: number): URL {
  const target = new URL(url);
  target.searchParams.set("client", String(client));
  return target;
}

interface Asked {
  readonly url: URL;
  /** On performance's clock. */
  readonly startedMs: number;
}

/** A 5xx is a failure; any other status is an answer. */
export function resultOf(reply: Fetched, { url, startedMs }: Asked): RequestResult {
  if (reply.kind === "silent") {
    const { reason } = reply;
    return { ok: false, kind: reason, reason: `cannot reach the balancer at ${url.origin}: ${reason}` };
  }
  const { status, headers, body } = reply;
  if (status >= 500) {
    // A tier's local reply begins with its status.
    const said = firstLine(body).replace(`${status}: `, "");
    return { ok: false, kind: String(status), reason: `${url.origin} answered ${status}: ${said}` };
  }
  const server = headers.get("X-Served-By") ?? "unknown";
  return { ok: true, server, proxy: proxyIn(headers), ms: performance.now() - startedMs, body };
}

/** Each tier appends itself to Via on the way back, so the first is the proxy nearest to the server. */
function proxyIn(headers: Pick<Headers, "get">): string {
  return /^\S+ (\S+?)(?:,|$)/.exec(headers.get("Via") ?? "")?.[1] ?? "no proxy";
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.slice(0, 200) || "no body";
}
