// One active check of one member: GET a path of its admin port, or, for a member that has none, a connection to its port.
// When to probe and what a result means are the caller's: a tier asks whether to use it, the watchdog whether it lives.

import { once } from "node:events";
import { Agent, get, type IncomingMessage, type RequestOptions } from "node:http";
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

interface Question {
  readonly path: "/healthz" | "/readyz";
  /** For the whole probe. */
  readonly timeoutMs: number;
  /** A kept connection costs both sides a third of a new one; whether the member still takes one shows on a new one alone. */
  readonly connection?: "new" | "kept";
}

const kept = new Agent({ keepAlive: true });

/** Never rejects. */
export async function probe(target: ProbeTarget, { path, timeoutMs, connection }: Question): Promise<ProbeResult> {
  const { host, port, adminPort } = target;
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    if (adminPort === undefined) return await tryConnection(host, port, signal);
    const status = await ask({ host, port: adminPort, path, signal, agent: connection === "kept" && kept });
    return status >= 200 && status < 300 ? { kind: "passed" } : { kind: "refused", status };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { kind: "silent", reason: signal.aborted ? `no answer in ${timeoutMs} ms` : (code ?? message) };
  }
}

/** @returns the status of a whole answer */
async function ask(options: RequestOptions): Promise<number> {
  const request = get(options);
  try {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    await once(response.resume(), "end");
    return response.statusCode ?? 0;
  } catch (error) {
    // It closed the kept connection in that moment, or is another one by now: that is no answer yet.
    if (request.reusedSocket && !options.signal?.aborted) return ask({ ...options, agent: false });
    throw error;
  }
}

async function tryConnection(host: string, port: number, signal: AbortSignal): Promise<ProbeResult> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal });
    return { kind: "passed" };
  } finally {
    socket.destroy();
  }
}
