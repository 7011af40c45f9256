// One request of a load and what became of it. Each has an id of its own, and its answer has to be an answer to that: of the
// stock server, with the digest of the body that was sent.

import { createHash } from "node:crypto";
import type { Agent } from "node:http";
import { within } from "../eventually.ts";
import { ask, type Reply } from "../http/ask.ts";

/** Longer than a tier lets a client wait. */
export const ANSWER_MS_MAX = 40_000;

export type Method = "GET" | "HEAD" | "POST";

export interface Exchange {
  readonly method: Method;
  readonly id: string;
  /** Of a POST. */
  readonly body?: string;
  readonly agent: Agent;
}

/** Members: through which proxy the answer came, and from which server. Failure: status and X-LB-Error, or the error's code. */
export type Outcome = { readonly members: readonly [proxy: string, server: string] } | { readonly failure: string };

/** Never rejects: one that has no answer in ANSWER_MS_MAX has failed like any other. */
export async function exchange(port: number, { method, id, body, agent }: Exchange): Promise<Outcome> {
  try {
    const question = { method, agent, path: `/?client=${id}`, ...(body !== undefined && { body }) };
    const reply = await within(ANSWER_MS_MAX, "an answer", ask(port, question));
    const failure = faultOf(reply, { method, id, body });
    return failure === undefined ? { members: routeOf(reply) } : { failure };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { failure: code ?? message };
  }
}

/** The proxy an answer came through, the first to write itself into Via, and the server that gave it. */
export function routeOf({ headers }: Reply): [proxy: string, server: string] {
  const proxy = headers.via?.split(/[ ,]+/)[1];
  return [proxy ?? "no proxy", String(headers["x-served-by"] ?? "nobody")];
}

interface Asked {
  readonly method: Method;
  readonly id: string;
  readonly body: string | undefined;
}

function faultOf(reply: Reply, asked: Asked): string | undefined {
  const { status, headers } = reply;
  const refusal = headers["x-lb-error"];
  if (status !== 200) return refusal === undefined ? String(status) : `${status} ${refusal}`;
  return answers(reply, asked) ? undefined : "200, to another request";
}

function answers(reply: Reply, { method, id, body }: Asked): boolean {
  if (method === "HEAD") return reply.body === "";
  const facts = JSON.parse(reply.body) as { client?: string; body?: { sha256: string } };
  const sha256 = body === undefined ? undefined : createHash("sha256").update(body).digest("hex");
  return facts.client === id && facts.body?.sha256 === sha256;
}
