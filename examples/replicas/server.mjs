// A server that has never heard of Evenkeel. Told to stop, it ends what it has begun, and then itself.

import { createServer } from "node:http";
import { hostname } from "node:os";

const server = createServer(({ url }, response) => {
  const { pathname, searchParams } = new URL(url, "http://here");
  if (pathname === "/up") return response.end("ok\n");
  const facts = { client: searchParams.get("client"), server: hostname(), version: process.env.VERSION };
  response.end(`${JSON.stringify(facts)}\n`);
});
server.listen(3000);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
