// Requests to the Docker engine's own socket, written anew: nothing of a caller's head goes there. Answers are passed on as they
// come, or read whole within a bound.

import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** Past what the engine takes to end a container outright. */
const CALL_SILENCE_MS = 60_000;

export interface EngineRequest {
  readonly method: string;
  /** Its path with version and parameters. */
  readonly target: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** Instead of a body in JSON. */
  readonly archive?: Buffer;
  /** How long it may be silent; 0: for ever. */
  readonly silenceMs?: number;
  readonly signal?: AbortSignal;
}

export interface WholeAnswer {
  readonly status: number;
  readonly type: string | undefined;
  readonly bytes: Buffer;
}

export class EngineClient {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** @returns the answer, whose body is to be read. @throws when the engine does not answer */
  send({
    method,
    target,
    body,
    archive,
    silenceMs = CALL_SILENCE_MS,
    signal,
  }: EngineRequest): Promise<IncomingMessage> {
    const bytes = archive ?? (body && Buffer.from(JSON.stringify(body)));
    const type = archive === undefined ? "application/json" : "application/x-tar";
    const headers = { Host: "docker", ...(bytes && { "Content-Type": type, "Content-Length": bytes.length }) };
    return new Promise((resolve, reject) => {
      const { socketPath } = this;
      const options = { socketPath, method, path: target, headers, agent: false, timeout: silenceMs };
      const call = request({ ...options, ...(signal && { signal }) });
      call.once("response", resolve);
      call.on("error", reject);
      call.on("timeout", () => call.destroy(new Error(`no answer in ${silenceMs / 1000} s`)));
      call.end(bytes);
    });
  }

  /** @throws when the engine does not answer, or more than can be held */
  async read(question: EngineRequest): Promise<WholeAnswer> {
    const answer = await this.send(question);
    const bytes = await buffer(limited(answer));
    return { status: answer.statusCode ?? 0, type: answer.headers["content-type"], bytes };
  }
}

function limited(answer: IncomingMessage): Readable {
  async function* pieces() {
    let count = 0;
    for await (const piece of answer as AsyncIterable<Buffer>) {
      count += piece.length;
      if (count > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
      yield piece;
    }
  }
  return Readable.from(pieces());
}
