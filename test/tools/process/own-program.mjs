// A program of a user's that has never heard of Evenkeel: Node's http, on the port that a variable of his own choice names. On its
// stdout stands its pid, and then what looks like a report of ours. With STUBBORN=yes neither it nor its own child heeds SIGTERM.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer } from "node:http";

const { APP_PORT, STUBBORN } = process.env;
const ENDLESS = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);";

console.log(`pid ${process.pid}`);
const forged = { role: "server", id: "server-1", port: 1, adminPort: 2, pid: 1, nonce: "none" };
for (const event of ["listening", "draining"]) console.log(JSON.stringify({ ...forged, event }));
if (STUBBORN === "yes") {
  process.on("SIGTERM", () => {});
  console.log(`pid ${spawn(process.execPath, ["-e", ENDLESS], { stdio: "ignore" }).pid}`);
}

let ups = 0;

createServer(async (request, response) => {
  const url = new URL(request.url, "http://app");
  if (url.pathname === "/up") ups += 1;
  const facts = { client: url.searchParams.get("client"), port: APP_PORT, ups };
  const digest = createHash("sha256");
  for await (const chunk of request) digest.update(chunk);
  const body = request.method === "POST" ? { body: { sha256: digest.digest("hex") } } : {};
  const answer = { ...facts, ...body, cwd: process.cwd(), names: Object.keys(process.env) };
  setTimeout(() => response.end(JSON.stringify(answer)), Number(url.searchParams.get("ms")));
}).listen(Number(APP_PORT));
