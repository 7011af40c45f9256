// One active check of one member: GET a path of its admin port; for a member that has none, GET the path that it is known to be
// healthy by, of the port for traffic, or else a connection to that port, and now and then any answer at all.
// When to probe and what a result means are the caller's: a tier asks whether to use it, the watchdog whether it lives.

import { once } from "node:events";
import { Agent, get, type IncomingMessage, type RequestOptions } from "node:http";
import { connect } from "node:net";

export interface ProbeTarget {
  readonly host: string;
  readonly port: number;
  readonly adminPort?: number | undefined;
  /** The path on `port` that answers 200 to 399 while a member without an admin port is healthy. */
  readonly healthPath?: string | undefined;
}

export type ProbeResult =
  /** It answered well, or took the connection. */
  | { readonly kind: "passed" }
  /** It answered, and its answer was no. */
  | { readonly kind: "refused"; readonly status: number }
  /** It did not answer. */
  | { readonly kind: "silent"; readonly reason: string };

interface Question {
  readonly path: "/healthz" | "/readyz";
  /** For the whole probe. */
  readonly timeoutMs: number;
  /**
   * A kept connection costs both sides a third of a new one; whether the member still takes one shows on a new one alone. One that has
   * neither an admin port nor a path is asked for any answer on a new one, and otherwise left in peace.
   */
  readonly connection?: "new" | "kept";
}

const kept = new Agent({ keepAlive: true });
/** Of an answer's body; its status stands before that. */
const BODY_BYTES_MAX = 65_536;

/** Never rejects. */
export async function probe(target: ProbeTarget, { path, timeoutMs, connection }: Question): Promise<ProbeResult> {
  const { host, port, adminPort, healthPath } = target;
  const signal = AbortSignal.timeout(timeoutMs);
  const agent = connection === "kept" && kept;
  try {
    if (adminPort !== undefined) return judged(await ask({ host, port: adminPort, path, signal, agent }), 299);
    // What others wrote may redirect, to a login say, and is well all the same.
    if (healthPath !== undefined) return judged(await ask({ host, port, path: healthPath, signal, agent }), 399);
    // The system takes connections also for a process that hangs.
    return connection === "kept" ? await tryConnection(host, port, signal) : await tryAnswer({ host, port, signal });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { kind: "silent", reason: signal.aborted ? `no answer in ${timeoutMs} ms` : (code ?? message) };
  }
}

function judged(status: number, greatest: number): ProbeResult {
  return status >= 200 && status <= greatest ? { kind: "passed" } : { kind: "refused", status };
}

/** @param onConnected called when the connection is there. @returns the status of a whole answer */
async function ask(options: RequestOptions, onConnected?: () => void): Promise<number> {
  const request = get(options);
  if (onConnected !== undefined) request.once("socket", (socket) => socket.once("connect", onConnected));
  try {
    const [response] = (await once(request, "response")) as [IncomingMessage];
    await readAway(response);
    return response.statusCode ?? 0;
  } catch (error) {
    // It closed the kept connection in that moment, or is another one by now: that is no answer yet.
    if (request.reusedSocket && !options.signal?.aborted) return ask({ ...options, agent: false });
    throw error;
  }
}

/** Resolves at the end of the body, or when it is long enough. */
async function readAway(response: IncomingMessage): Promise<void> {
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    // Leaving the loop closes the connection.
    if (bytes > BODY_BYTES_MAX) return;
  }
}

/** Whatever it answers, it lives: also when it closes or resets the connection that it has taken. */
async function tryAnswer(options: RequestOptions): Promise<ProbeResult> {
  let taken = false;
  const onConnected = () => {
    taken = true;
  };
  try {
    await ask({ ...options, method: "HEAD", path: "/", agent: false }, onConnected);
  } catch (error) {
    // A reset may come before word of the connection.
    const isReset = (error as NodeJS.ErrnoException).code === "ECONNRESET";
    if (options.signal?.aborted || !(taken || isReset)) throw error;
  }
  return { kind: "passed" };
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
