// Asks the same thing over and over, on connections that stay open. Of each answer it keeps what the first lines say, however
// long it is. fetch would follow redirects, and cost a load of thousands a second three times as much.

import * as http from "node:http";
import * as https from "node:https";
import { ANSWERS_WITHIN_MS, type RequestResult, resultOf } from "./request.ts";

const BODY_KEPT_BYTES = 1_024;

export class Requester {
  readonly #url: URL;
  readonly #agent: http.Agent;
  readonly #get: typeof http.get;

  /** @param connections so many at most */
  constructor(url: URL, connections: number) {
    const { Agent, get } = url.protocol === "https:" ? https : http;
    this.#url = url;
    this.#get = get;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Never rejects. */
  ask(): Promise<RequestResult> {
    const startedMs = performance.now();
    const asked = { url: this.#url, startedMs };
    return new Promise((resolve) => {
      const silent = (reason: string) => {
        clearTimeout(limit);
        resolve(resultOf({ kind: "silent", reason }, asked));
      };
      const request = this.#get(this.#url, { agent: this.#agent }, (response) => {
        const kept: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          if (bytes < BODY_KEPT_BYTES) kept.push(chunk);
          bytes += chunk.length;
        });
        response.on("error", ({ code, message }: NodeJS.ErrnoException) => silent(code ?? message));
        response.on("end", () => {
          clearTimeout(limit);
          const body = Buffer.concat(kept).subarray(0, BODY_KEPT_BYTES).toString();
          const headers = new Headers();
          for (const name of ["x-served-by", "via"]) {
            const value = response.headers[name];
            if (typeof value === "string") headers.set(name, value);
          }
          resolve(resultOf({ kind: "answered", status: response.statusCode ?? 0, headers, body }, asked));
        });
      });
      const limit = setTimeout(() => {
        silent(`no answer in ${ANSWERS_WITHIN_MS / 1_000} s`);
        request.destroy();
      }, ANSWERS_WITHIN_MS);
      request.on("error", ({ code, message }: NodeJS.ErrnoException) => silent(code ?? message));
    });
  }

  /** Gives up what is under way. */
  close(): void {
    this.#agent.destroy();
  }
}
