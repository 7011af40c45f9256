// Counts its visits in the database, which it finds migrated.

import { createServer } from "node:http";
import { hostname } from "node:os";

const number = async (name, method = "GET") => Number(await (await fetch(`http://db:5432/${name}`, { method })).text());

const server = createServer(async ({ url }, response) => {
  const client = new URL(url, "http://here").searchParams.get("client");
  try {
    const facts = {
      client,
      server: hostname(),
      schema: await number("schema"),
      visits: await number("visits", "POST"),
    };
    response.end(`${JSON.stringify(facts)}\n`);
  } catch {
    response.writeHead(503).end("the database does not answer\n");
  }
});
server.listen(3000);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
