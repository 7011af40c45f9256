// One request of the client to the balancer, and what its answer says: who served it, through which proxy, or why nobody did.

import { fetchText } from "../command-line/fetch-text.ts";

const ANSWERS_WITHIN_MS = 30_000;

export type RequestResult =
  | { readonly ok: true; readonly server: string; readonly proxy: string; readonly ms: number; readonly body: string }
  | { readonly ok: false; readonly reason: string };

export interface RequestOptions {
  readonly url: URL;
  /** The client's number. */
  readonly client: number;
  /** Gives it up early. */
  readonly stop?: AbortSignal;
}

/** Never rejects. A 5xx is a failure; any other status is an answer. */
export async function request({ url, client, stop }: RequestOptions): Promise<RequestResult> {
  const target = new URL(url);
  target.searchParams.set("client", String(client));
  const startedMs = performance.now();
  const reply = await fetchText(target, { timeoutMs: ANSWERS_WITHIN_MS, ...(stop && { stop }) });
  if (reply.kind === "silent")
    return { ok: false, reason: `cannot reach the balancer at ${url.origin}: ${reply.reason}` };
  const { status, headers, body } = reply;
  if (status >= 500) {
    // A tier's local reply begins with its status.
    const said = firstLine(body).replace(`${status}: `, "");
    return { ok: false, reason: `${url.origin} answered ${status}: ${said}` };
  }
  const server = headers.get("X-Served-By") ?? "unknown";
  return { ok: true, server, proxy: proxyIn(headers), ms: performance.now() - startedMs, body };
}

/** Each tier appends itself to Via on the way back, so the first is the proxy nearest to the server. */
function proxyIn(headers: Headers): string {
  return /^\S+ (\S+?)(?:,|$)/.exec(headers.get("Via") ?? "")?.[1] ?? "no proxy";
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.slice(0, 200) || "no body";
}
