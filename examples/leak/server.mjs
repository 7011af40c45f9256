// Keeps something of each request when it has answered, and never lets go of it: 32 to 256 KiB, outside of V8's heap, as buffers are. How
// much, each replica draws once, so that they do not fill up in step.

import { createServer } from "node:http";
import { hostname } from "node:os";

const bytes = Math.floor(1_024 * 32 * 8 ** Math.random());
const kept = [];

const server = createServer(({ url }, response) => {
  response.on("close", () => kept.push(Buffer.alloc(bytes, 1)));
  const client = new URL(url, "http://here").searchParams.get("client");
  response.end(`${JSON.stringify({ client, server: hostname(), kept: kept.length })}\n`);
});
server.listen(3000);
process.on("SIGTERM", () => process.exit(0));
