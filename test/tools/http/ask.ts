// The client's side of a tier in tests: a whole request and its whole answer, or a bare socket for what only bytes show.

import { once } from "node:events";
import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request as send } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { eventually } from "../eventually.ts";
import { HOST } from "../ports.ts";
import type { Scope } from "../scope.ts";

export interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** The address to come from; all of 127.0.0.0/8 is ours. */
  readonly from?: string;
  /** Default: a connection of its own. */
  readonly agent?: Agent;
}

export interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** One request, and its whole answer; rejects when that is cut short. */
export async function ask(port: number, question: Question = {}): Promise<Reply> {
  const response = await begin(port, question);
  const { statusCode: status = 0, statusMessage: reason = "", headers, rawHeaders } = response;
  return { status, reason, headers, rawHeaders, body: await text(response) };
}

/** One request, and its answer as soon as the head is there. */
export async function begin(
  port: number,
  { body, from, agent, headers, ...options }: Question = {},
): Promise<IncomingMessage> {
  // node:http frames a body only for the methods that usually have one.
  const framing = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
  const request = send({
    host: HOST,
    port,
    agent: agent ?? false,
    headers: { ...framing, ...headers },
    ...(from ? { localAddress: from } : {}),
    ...options,
  });
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

/** Sends requests one after another. */
export async function inTurn<T>(count: number, send: (index: number) => Promise<T>): Promise<T[]> {
  const replies: T[] = [];
  for (let index = 0; index < count; index += 1) replies.push(await send(index));
  return replies;
}

export interface RawClient {
  readonly socket: Socket;
  readonly received: () => string;
  readonly send: (bytes: string) => void;
  /** Waits until what has come in matches, and returns the match. */
  readonly until: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Resolves when the other side has ended or broken the connection. */
  readonly closed: Promise<unknown>;
}

/** @param from the address to come from */
export async function rawClient(scope: Scope, port: number, from = HOST): Promise<RawClient> {
  const socket = connect({ host: HOST, port, localAddress: from });
  scope.after(() => void socket.destroy());
  let received = "";
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  await once(socket, "connect");
  return {
    socket,
    received: () => received,
    send: (bytes) => void socket.write(bytes, "latin1"),
    until: (pattern) =>
      eventually(
        () => `${pattern} in ${JSON.stringify(received)}`,
        () => pattern.exec(received),
      ),
    closed,
  };
}
