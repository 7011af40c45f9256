// A peer that says what a test wants it to, frame by frame, on either side of the link.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connectSession } from "../../services/link/connect.ts";
import { HELLO, type Hello, helloBytes, VERSION } from "../../services/link/frames.ts";
import { linkRequest, SWITCHING } from "../../services/link/negotiation.ts";
import type { Session } from "../../services/link/session.ts";
import type { SessionSettings } from "../../services/link/session-owner.ts";
import { eventually } from "../tools/eventually.ts";
import type { Scope } from "../tools/scope.ts";
import { frame } from "./frames.ts";
import { type Accept, accepting, listening, SETTINGS, Side, targetAt } from "./pair.ts";

const GREETING: Hello = { version: VERSION, streamsMax: 100, windowBytes: 65_536, headBytesMax: 16_384 };

export function hello(changes: Partial<Hello> = {}): Buffer {
  return frame(HELLO, 0, helloBytes({ ...GREETING, ...changes }));
}

export interface RawPeer {
  readonly socket: Socket;
  /** Of the side that is tested. */
  readonly side: Side;
  readonly session: Session;
  /** What has come, the HTTP/1.1 of the beginning included. */
  readonly received: () => Buffer;
}

export interface RawOptions {
  readonly accept?: Accept;
  readonly settings?: Partial<SessionSettings>;
  /** What it says first, instead of a HELLO. */
  readonly first?: Buffer;
}

/** Opens streams at the side that is tested. */
export async function rawClient(
  scope: Scope,
  { accept, settings, first = hello() }: RawOptions = {},
): Promise<RawPeer> {
  const side = new Side(accept);
  const port = await accepting(scope, side, settings);
  const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true }).on("error", () => {});
  scope.after(() => void socket.destroy());
  const received = recording(socket);
  await once(socket, "connect");
  socket.write(linkRequest("x"));
  await eventually("its hello", () => received().includes(SWITCHING) && received().length > SWITCHING.length);
  socket.write(first);
  return { socket, side, session: side.session as Session, received };
}

/** Is opened streams by the side that is tested. */
export async function rawServer(scope: Scope, { settings }: RawOptions = {}): Promise<RawPeer> {
  let accepted: Socket | undefined;
  const port = await listening(scope, (socket) => {
    socket.once("data", () => socket.write(Buffer.concat([Buffer.from(SWITCHING), hello()])));
    accepted = socket;
  });
  const side = new Side();
  const connected = await connectSession({ ...targetAt(port), owner: side, settings: { ...SETTINGS, ...settings } });
  if (connected.kind !== "session") throw new Error(JSON.stringify(connected));
  side.session = connected.session;
  const socket = accepted as unknown as Socket;
  return { socket, side, session: connected.session, received: recording(socket) };
}

function recording(socket: Socket): () => Buffer {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  return () => Buffer.concat(chunks);
}
