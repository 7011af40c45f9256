// One active check of one member: GET a path of its admin port, or, for a member that has none, a connection to its port.
// When to probe and what a result means are the caller's: a tier asks whether to use it, the watchdog whether it lives.

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { connect } from "node:net";

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly adminPort?: number | undefined;
}

export type ProbeResult =
  /** It answered 2xx, or took the connection. */
  | { readonly kind: "passed" }
  /** It answered, and its answer was no. */
  | { readonly kind: "refused"; readonly status: number }
  /** It did not answer. */
  | { readonly kind: "silent"; readonly reason: string };

/** @param timeoutMs for the whole probe. Never rejects. */
export async function probe(
  target: ProbeTarget,
  path: "/healthz" | "/readyz",
  timeoutMs: number,
): Promise<ProbeResult> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    if (target.adminPort === undefined) return await tryConnection(target, signal);
    const request = get({ host: target.host, port: target.adminPort, path, agent: false, signal });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.resume();
    const status = response.statusCode ?? 0;
    return status >= 200 && status < 300 ? { kind: "passed" } : { kind: "refused", status };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { kind: "silent", reason: signal.aborted ? `no answer in ${timeoutMs} ms` : (code ?? message) };
  }
}

async function tryConnection({ host, port }: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal });
    return { kind: "passed" };
  } finally {
    socket.destroy();
  }
}
