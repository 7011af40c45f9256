// All that a server of your own needs today: a line that says where it listens, and an admin port that says whether it is ready.

import { createServer } from "node:http";

const app = createServer((_request, response) => response.end("hello from your own image\n"));
const admin = createServer((request, response) => {
  response.writeHead(request.url === "/readyz" ? 200 : 404).end();
});

app.listen(3000, () => {
  admin.listen(3001, () => console.log(JSON.stringify({ event: "listening", port: 3000, adminPort: 3001 })));
});
process.on("SIGTERM", () => process.exit(0));
