// A pipe of which this process keeps the reading end without reading: what is written waits in the system until the end is read, here
// or in a process that it is passed to. A child's own pipes are of no use for that: Node reads ahead on them.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, Socket } from "node:net";
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
  const server = createServer({ pauseOnConnect: true });
  try {
    server.listen(path);
    await once(server, "listening");
    const accepted = once(server, "connection") as Promise<[Socket]>;
    // Node does not begin to read one that is paused, and keeps no account of one that it did not accept when that is passed on.
    const reading = new Socket().pause();
    reading.connect(path);
    const [[writing]] = await Promise.all([accepted, once(reading, "connect")]);
    return { writing, reading };
  } finally {
    server.close();
    await rm(directory, { recursive: true, force: true });
  }
}
