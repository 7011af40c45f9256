// Asks the same thing once or over and over, on connections that stay open, and keeps as much of each answer as is wanted. fetch would
// follow redirects, take 50 ms of the first answer to load itself, and cost a load of thousands a second three times as much.

import * as http from "node:http";
import * as https from "node:https";
import { type RequestResult, resultOf } from "./request.ts";

const ANSWERS_WITHIN_MS = 30_000;

export interface RequesterOptions {
  /** So many at most. */
  readonly connections: number;
  /** Of each answer's body. */
  readonly keptBytes: number;
}

export class Requester {
  readonly #url: URL;
  readonly #keptBytes: number;
  readonly #agent: http.Agent;
  readonly #get: typeof http.get;

  constructor(url: URL, { connections, keptBytes }: RequesterOptions) {
    const { Agent, get } = url.protocol === "https:" ? https : http;
    this.#url = url;
    this.#keptBytes = keptBytes;
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
          if (bytes < this.#keptBytes) kept.push(chunk);
          bytes += chunk.length;
        });
        response.on("error", ({ code, message }: NodeJS.ErrnoException) => silent(code ?? message));
        response.on("end", () => {
          clearTimeout(limit);
          const body = Buffer.concat(kept).subarray(0, this.#keptBytes).toString();
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
