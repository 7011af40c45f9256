// All that a server of your own needs today: a line that says where it listens, and an admin port that says whether it is ready.

import { createServer } from "node:http";
import { hostname } from "node:os";

const app = createServer((_request, response) => response.end("hello from your own image\n"));
const admin = createServer((request, response) => {
  response.writeHead(request.url === "/readyz" ? 200 : 404).end();
});

// By the nonce the watchdog tells this line from whatever else is printed here. Without it the first such line of a run counts.
const { PORT: port, ADMIN_PORT: adminPort, REPORT_NONCE: nonce = hostname() } = process.env;
const report = { event: "listening", port: Number(port), adminPort: Number(adminPort), nonce };
app.listen(port, () => admin.listen(adminPort, () => console.log(JSON.stringify(report))));
process.on("SIGTERM", () => process.exit(0));
