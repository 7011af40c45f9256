// Ports for what the bench starts. They lie below the range that the kernel gives to outgoing connections, so that no
// connection of a load generator sits on the port of a server that is about to start.

import { once } from "node:events";
import { createServer } from "node:net";
import { HOST } from "../../test/tools/ports.ts";

const FIRST = 11_000;
const LAST = 31_999;

let next = FIRST + (process.pid % 200) * 100;

/** As many ports as asked for, free a moment ago and never given out twice before all others were. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let looked = 0; found.length < count; looked += 1) {
    if (looked > LAST - FIRST) throw new Error(`fewer than ${count} of the ports ${FIRST}-${LAST} are free`);
    const port = next;
    next = next === LAST ? FIRST : next + 1;
    if (await isFree(port)) found.push(port);
  }
  return found;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, HOST);
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    if (server.listening) {
      server.close();
      await once(server, "close");
    }
  }
}
