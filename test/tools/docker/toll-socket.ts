// A Docker engine's socket with a toll on it: every byte passes, and the calls that change a container are counted. Of the
// one that was chosen the engine does what it was told, and its answer is withheld: so whoever asked can be ended in between. Or
// it waits before it gets to the engine, so that something else can happen first.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { temporaryDirectory } from "../registry.ts";
import type { Scope } from "../scope.ts";

/** Requests are not pipelined, so each begins with a piece of its own. */
const CHANGE = /^(?:POST|DELETE) (?:\/v[\d.]+)?\/containers\/(?:[^/? ]+\/)?([^/? ]+)/;
const VERBS = ["create", "rename", "start", "stop", "kill"];

export interface TollSocket {
  readonly path: string;
  /** What was changed so far, such as `["rename", "create"]`. */
  readonly changes: readonly string[];
}

export interface Toll {
  /** The socket behind it. */
  readonly engine: string;
  /** The change whose answer is withheld, such as "create", or which of all, from 1; undefined: none. */
  readonly at: string | number | undefined;
  /** Called when the engine has given that answer; with `until`, when that change has come. */
  readonly onAnswered: () => void;
  /** That change waits for this, and is then like any other. */
  readonly until?: Promise<unknown>;
}

export async function tollSocket(
  scope: Scope,
  { engine: enginePath, at, onAnswered, until }: Toll,
): Promise<TollSocket> {
  const path = join(await temporaryDirectory(scope), "docker.sock");
  const changes: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const engine = connect(enginePath);
    tied(client, engine, sockets);
    let withheld = false;
    const held = (bytes: Buffer) => {
      client.pause();
      onAnswered();
      void until?.then(() => {
        engine.write(bytes);
        client.resume();
      });
    };
    client.on("data", (bytes) => {
      const change = changeIn(bytes);
      if (change !== undefined) {
        changes.push(change);
        const isIt = change === at || changes.length === at;
        if (isIt && until !== undefined) return held(bytes);
        withheld = isIt;
      }
      engine.write(bytes);
    });
    engine.on("data", (bytes) => {
      if (withheld) onAnswered();
      else client.write(bytes);
    });
  });
  server.listen(path);
  await once(server, "listening");
  scope.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { path, changes };
}

function changeIn(bytes: Buffer): string | undefined {
  const [line = "", what = ""] = CHANGE.exec(bytes.toString("latin1", 0, 300)) ?? [];
  if (line.startsWith("DELETE")) return "remove";
  return VERBS.includes(what) ? what : undefined;
}

/** What ends or breaks on one side does so on the other. */
function tied(client: Socket, engine: Socket, sockets: Set<Socket>): void {
  for (const [one, other] of [
    [client, engine],
    [engine, client],
  ] as const) {
    sockets.add(one);
    one.on("error", () => {});
    one.on("end", () => other.end());
    one.on("close", () => {
      sockets.delete(one);
      other.destroy();
    });
  }
}
