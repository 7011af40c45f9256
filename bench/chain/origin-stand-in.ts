// A program: servers that answer every request with the same small body, for a machine without nginx. Ends with its stdin.
// Reads no more of a request than its end, so it is for requests without a body.
// Parameters: body, ports.

import { createServer, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";

const [body, ports] = process.argv.slice(2) as [string, string];
const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}${HEAD_END}${body}`;

function serve(socket: Socket): void {
  let rest = "";
  socket.setEncoding("latin1").setNoDelay(true);
  socket.on("error", () => {});
  socket.on("data", (text) => {
    const parts = (rest + text).split(HEAD_END);
    rest = parts.pop() as string;
    socket.write(answer.repeat(parts.length));
  });
}

for (const port of ports.split(",")) createServer(serve).listen({ port: Number(port), host: "127.0.0.1" });
process.stdin.once("close", () => process.exit()).resume();
