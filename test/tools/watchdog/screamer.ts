// A member that has gone bad: it listens as told, says so, and then writes on stdout what SCREAM says, as fast as it is read:
// a line without an end, or lines. What it has written so far it tells on its traffic port.

import { once } from "node:events";
import { createServer } from "node:http";

const { SCREAM = "", ROLE, PORT, ADMIN_PORT, SCREAM_LINE = "x".repeat(99) } = process.env;
const CHUNK = 65_536;
const chunk =
  SCREAM === "endless"
    ? Buffer.alloc(CHUNK, "x")
    : Buffer.from(`${SCREAM_LINE}\n`.repeat(Math.ceil(CHUNK / (SCREAM_LINE.length + 1))));
let written = 0;

const answers = createServer((_request, response) => response.end(String(written)));
const traffic = answers.listen(Number(PORT ?? 0), "127.0.0.1");
const admin = createServer((_request, response) => response.end("ok")).listen(Number(ADMIN_PORT ?? 0), "127.0.0.1");
await Promise.all([once(traffic, "listening"), once(admin, "listening")]);
const portOf = (server: typeof admin) => (server.address() as { port: number }).port;
const report = { event: "listening", role: ROLE, port: portOf(traffic), adminPort: portOf(admin) };
process.stdout.write(`${JSON.stringify(report)}\n`);
process.stdin.once("close", () => process.exit(0)).resume();
while (SCREAM !== "") {
  if (!process.stdout.write(chunk)) await once(process.stdout, "drain");
  written += chunk.length;
}
