// A port that takes no connection and refuses none: a listener whose queue is full and that never accepts, as a host behind a
// broken link would look. It needs a process of its own, for node:net accepts whenever the event loop turns.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { within } from "../eventually.ts";
import { PATIENCE_MS } from "./waiting.ts";

/** Listens, says where, and then stands still for good. */
const STANDSTILL = `
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    require("node:fs").writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

export async function unreachable(): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  const child = spawn(process.execPath, ["-e", STANDSTILL], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = (await within(PATIENCE_MS, "port", once(child.stdout, "data"))) as [Buffer];
  const port = Number(said.toString());
  // Linux takes one more than the queue is long; whoever comes later waits.
  const waiting: Socket[] = [];
  for (let place = 0; place < 2; place += 1) {
    const socket = connect(port, "127.0.0.1");
    waiting.push(socket.on("error", () => {}));
    await within(PATIENCE_MS, "place in the queue", once(socket, "connect"));
  }
  const close = async () => {
    for (const socket of waiting) socket.destroy();
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return { port, close };
}
