// A chat with a room in each replica: what is said there is in this process's memory alone, so a client has to come back to it.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { hostname } from "node:os";
import { WebSocketServer } from "ws";

const page = readFileSync("page.html");
const server = createServer((_request, response) => response.setHeader("Content-Type", "text/html").end(page));
const chat = new WebSocketServer({ server, path: "/chat", maxPayload: 4_096 });
const LINES_MAX = 100;
const lines = [];

chat.on("connection", (client) => {
  client.send(JSON.stringify({ room: hostname(), lines }));
  client.on("error", () => {});
  client.on("message", (data) => {
    const line = data.toString();
    lines.push(line);
    if (lines.length > LINES_MAX) lines.shift();
    for (const each of chat.clients) each.send(JSON.stringify({ lines: [line] }));
  });
});
server.listen(3000);
process.on("SIGTERM", () => {
  for (const client of chat.clients) client.close(1001);
  server.close(() => process.exit(0));
});
