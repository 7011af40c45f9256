// A pipe of which this process keeps the reading end without reading: what is written waits in the system until the end is read, here
// or in a process that it is passed to. A child's own pipes are of no use for that: Node reads ahead on them.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface PausedPipe {
  readonly writing: Socket;
  readonly reading: Socket;
}

/** A socket of the system's own kind, whose name is gone when this resolves. */
export async function pausedPipe(): Promise<PausedPipe> {
  const directory = await mkdtemp(join(tmpdir(), "evenkeel-pipe-"));
  const path = join(directory, "pipe");
  // Documented for just this: such a socket can be passed on without a byte of it being lost.
  const server = createServer({ pauseOnConnect: true });
  try {
    server.listen(path);
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>;
    const writing = connect(path);
    const [[reading]] = await Promise.all([accepted, once(writing, "connect")]);
    return { writing, reading };
  } finally {
    server.close();
    await rm(directory, { recursive: true, force: true });
  }
}
