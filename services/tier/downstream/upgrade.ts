// Upgraded connections, WebSocket or any other protocol: asked for on a connection to a member, then two sockets joined by
// http-proxy until either side ends. A tunnel is never moved; a change of the registry leaves it alone.

import { Agent, type ClientRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { createProxyServer } from "http-proxy";
import type { Settings } from "../../runtime/config.ts";
import type { Member } from "../cluster/members.ts";
import { failureOf } from "../rules/failures.ts";
import { upgradeFailure } from "./local-replies.ts";

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What came behind the request in the same segment: the first bytes of the new protocol. */
  readonly head: Buffer;
  /** Origin-form. */
  readonly path: string;
  /** As the member gets them, besides Connection and Upgrade. */
  readonly headers: readonly string[];
  readonly member: Member;
  /** To the member, and this upgrade's alone. */
  readonly connection: Socket;
  readonly limits: Pick<Settings, "RESPONSE_TIMEOUT_MS" | "TUNNEL_IDLE_TIMEOUT_MS">;
}

/** Asks the member for the upgrade and passes its answer on, be it 101 or a refusal. Resolves when the tunnel has ended. */
export async function tunnel(upgrade: Upgrade): Promise<void> {
  const { request, socket, head, path, headers, member, connection, limits } = upgrade;
  if (socket.destroyed) {
    connection.destroy();
    return;
  }
  const proxy = createProxyServer();
  // The answers before this one went out on the same connection.
  const sentBefore = socket.bytesWritten;
  // http-proxy's first pass hangs up on every protocol but WebSocket; which ones are tunnelled, incoming.ts has decided.
  proxy._wsPasses.shift();
  proxy.on("error", (error) => {
    const failure = failureOf((error as NodeJS.ErrnoException).code, { sent: true, started: false });
    // Once joined, an error only ends the tunnel.
    if (!socket.destroyed && socket.bytesWritten === sentBefore) socket.end(upgradeFailure(failure));
    else socket.destroy();
  });
  proxy.on("proxyReqWs", (asked) => {
    limitWait(asked, limits.RESPONSE_TIMEOUT_MS);
    // A client that leaves before the member has said anything would leave its request there.
    const leave = () => asked.destroy();
    socket.once("end", leave).once("close", leave);
    asked.once("upgrade", () => socket.off("end", leave).off("close", leave));
    asked.once("response", () => socket.off("end", leave));
  });
  proxy.on("open", () => {
    // http-proxy passes on an end, but not that there is nobody any more.
    socket.once("close", () => connection.destroy());
    // The client's side is enough: bytes either way pass it.
    socket.setTimeout(limits.TUNNEL_IDLE_TIMEOUT_MS, () => socket.destroy());
  });
  request.url = path;
  request.headers = { ...fold(headers), connection: "Upgrade", upgrade: request.headers.upgrade };
  const target = { protocol: "http:", host: member.host, port: member.port };
  await proxy.ws(request, socket, { target, agent: new Connected(connection) }, head);
}

/** Hands out the one connection that there is. */
class Connected extends Agent {
  readonly #connection: Socket;

  constructor(connection: Socket) {
    super();
    this.#connection = connection;
  }

  override createConnection(): Socket {
    return this.#connection;
  }
}

function limitWait(asked: ClientRequest, limitMs: number): void {
  const late = Object.assign(new Error(`nothing in ${limitMs} ms`), { code: "ETIMEDOUT" });
  const limit = setTimeout(() => asked.destroy(late), limitMs);
  const over = () => clearTimeout(limit);
  asked.once("upgrade", over).once("response", over).once("close", over);
}

/** A flat header list as node:http's object; a repeated name becomes a list. */
function fold(flat: readonly string[]): NodeJS.Dict<string | string[]> {
  const folded: NodeJS.Dict<string | string[]> = {};
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = (flat[index] as string).toLowerCase();
    const value = flat[index + 1] as string;
    const before = folded[name];
    folded[name] = before === undefined ? value : [before, value].flat();
  }
  return folded;
}
