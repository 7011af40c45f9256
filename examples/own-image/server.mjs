// A server that has never heard of Evenkeel.

import { createServer } from "node:http";

createServer((_request, response) => response.end("hello from your own image\n")).listen(process.env.PORT ?? 3000);
process.on("SIGTERM", () => process.exit(0));
