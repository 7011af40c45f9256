// Upgraded connections, WebSocket or any other protocol: chosen like a request, then two sockets joined by http-proxy until
// either side ends. A tunnel is never retried and never moved; a change of the registry leaves it alone.

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { createProxyServer } from "http-proxy";
import type { Member } from "./members.ts";
import { UPGRADE_FAILED } from "./own-answers.ts";

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
  readonly idleTimeoutMs: number;
  /** The member is out of reach. */
  readonly onUnreachable: (reason: string) => void;
}

/** Asks the member for the upgrade and passes its answer on, be it 101 or a refusal. Resolves when the tunnel has ended. */
export async function tunnel(upgrade: Upgrade): Promise<void> {
  const { request, socket, head, path, headers, member, idleTimeoutMs, onUnreachable } = upgrade;
  const proxy = createProxyServer();
  // The answers before this one went out on the same connection.
  const sentBefore = socket.bytesWritten;
  // http-proxy's first pass hangs up on every protocol but WebSocket; which ones are tunnelled, incoming.ts has decided.
  proxy._wsPasses.shift();
  proxy.on("error", (error) => {
    // Once joined, an error only ends the tunnel; before that it says that the member is out of reach.
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED" || code === "EHOSTUNREACH") onUnreachable(code);
    if (!socket.destroyed && socket.bytesWritten === sentBefore) socket.end(UPGRADE_FAILED);
    else socket.destroy();
  });
  proxy.on("proxyReqWs", (asked) => {
    // A client that leaves before the member has said anything would leave its request there.
    const leave = () => asked.destroy();
    socket.once("end", leave).once("close", leave);
    asked.once("upgrade", () => socket.off("end", leave).off("close", leave));
    asked.once("response", () => socket.off("end", leave));
  });
  proxy.on("open", () => {
    // The client's side is enough: bytes either way pass it.
    socket.setTimeout(idleTimeoutMs, () => socket.destroy());
  });
  request.url = path;
  request.headers = { ...fold(headers), connection: "Upgrade", upgrade: request.headers.upgrade };
  await proxy.ws(
    request,
    socket,
    { target: { protocol: "http:", host: member.host, port: member.port }, agent: false },
    head,
  );
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
