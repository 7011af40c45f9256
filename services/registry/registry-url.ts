// Follows the registry over HTTP, for a tier that shares no file with its watchdog: one long poll after another, each answered when
// there is a newer document. Whatever answers is bounded in bytes and in time.

import { once } from "node:events";
import { Agent, type ClientRequest, get, type IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { readWithin } from "../runtime/bounded-read.ts";
import { Condition, type Log } from "../runtime/log.ts";
import { REGISTRY_BYTES_MAX } from "./document.ts";

/** Longer than a watchdog holds a question. */
const ANSWER_MS_MAX = 30_000;
/** A watchdog that has moved answers nothing at its old address: its name is looked up with the next connection. */
const CONNECT_MS_MAX = 1_000;
/** Between two questions when the first came to nothing, and up to as much again: tiers must not ask in step. */
const ASK_AGAIN_MS = 200;
/** Behind a new document: however fast they come, following them is not all that a tier does. */
const ASK_ON_MS = 20;

interface UrlFollower {
  readonly url: string;
  readonly log: Log;
  readonly stop: AbortSignal;
  /** The version that is in use; undefined: none yet. */
  readonly known: () => number | undefined;
  /** @returns what is wrong with a document, in one line */
  readonly offer: (text: string) => string | undefined;
}

/** Asks until `stop`. Resolves, and never rejects, when the first document is in use. */
export function followUrl({ url, log, stop, known, offer }: UrlFollower): Promise<void> {
  const watchdog = new RegistryUrl(url);
  const condition = new Condition(log, "registry-url");
  return new Promise((resolve) => {
    void (async () => {
      while (!stop.aborted) {
        const before = known();
        const answer = await watchdog.ask(before, stop);
        if (stop.aborted) break;
        const fault =
          answer.kind === "silent" ? answer.reason : answer.kind === "document" ? offer(answer.text) : undefined;
        if (fault === undefined) condition.recovered({ url });
        else condition.failing(fault, { url, ...(before !== undefined && { keeping: before }) });
        const isNew = known() !== before;
        if (isNew) resolve();
        const pauseMs = isNew ? ASK_ON_MS : ASK_AGAIN_MS * (1 + Math.random());
        await delay(pauseMs, undefined, { signal: stop }).catch(() => {});
      }
      watchdog.close();
    })();
  });
}

type RegistryAnswer =
  | { readonly kind: "document"; readonly text: string }
  /** There was nothing newer for as long as the watchdog waits. */
  | { readonly kind: "unchanged" }
  | { readonly kind: "silent"; readonly reason: string };

const unpack = promisify(gunzip);

class RegistryUrl {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  /** Never rejects. @param after the version that is known; undefined: none */
  async ask(after: number | undefined, stop: AbortSignal): Promise<RegistryAnswer> {
    const url = new URL(this.#url);
    if (after !== undefined) url.searchParams.set("after", String(after));
    const limit = AbortSignal.timeout(ANSWER_MS_MAX);
    try {
      const signal = AbortSignal.any([stop, limit]);
      const request = get(url, { agent: this.#agent, headers: { "Accept-Encoding": "gzip" }, signal });
      limitConnecting(request);
      const [response] = (await once(request, "response")) as [IncomingMessage];
      return await read(response);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return { kind: "silent", reason: limit.aborted ? `no answer within ${ANSWER_MS_MAX} ms` : (code ?? message) };
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

async function read(response: IncomingMessage): Promise<RegistryAnswer> {
  const { statusCode, headers } = response;
  const body = await readWithin(response, REGISTRY_BYTES_MAX);
  if (statusCode === 204) return { kind: "unchanged" };
  if (statusCode !== 200) return { kind: "silent", reason: `it answered ${statusCode}${firstLineOf(body)}` };
  const tooLarge = { kind: "silent", reason: `it is larger than ${REGISTRY_BYTES_MAX} bytes` } as const;
  if (body === undefined) return tooLarge;
  if (headers["content-encoding"] !== "gzip") return { kind: "document", text: body.toString() };
  try {
    return { kind: "document", text: (await unpack(body, { maxOutputLength: REGISTRY_BYTES_MAX })).toString() };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ERR_BUFFER_TOO_LARGE" ? tooLarge : { kind: "silent", reason: `it cannot be unpacked (${code})` };
  }
}

/** Why not, as the watchdog says it. */
function firstLineOf(body: Buffer | undefined): string {
  const line = body?.toString().split("\n", 1)[0]?.slice(0, 200);
  return line ? `: ${line}` : "";
}

function limitConnecting(request: ClientRequest): void {
  request.once("socket", (socket) => {
    if (!socket.connecting) return;
    const late = () => request.destroy(new Error(`no connection within ${CONNECT_MS_MAX} ms`));
    const timer = setTimeout(late, CONNECT_MS_MAX);
    const settled = () => clearTimeout(timer);
    socket.once("connect", settled).once("close", settled);
  });
}
