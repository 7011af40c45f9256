// The soak's server: the stock workload, beside it a large answer to break off and a WebSocket that echoes. Stands where a
// user's own image would, with the life that every member of ours has.

import { createServer } from "node:http";
import { Readable } from "node:stream";
import { collectDefaultMetrics, Registry } from "prom-client";
import { WebSocketServer } from "ws";
import { readSettings } from "../../../services/runtime/config.ts";
import { Drain } from "../../../services/runtime/drain.ts";
import { live } from "../../../services/runtime/lifecycle.ts";
import { openLog } from "../../../services/runtime/log.ts";
import { listenForTraffic } from "../../../services/runtime/ports.ts";
import { serverApp } from "../../../services/server.ts";

const CHUNK = Buffer.alloc(64 * 1024);
const CHUNKS = 32;

const result = readSettings();
if (!result.ok) throw new Error(result.faults.join("\n"));
const { settings } = result;
const metrics = new Registry();
collectDefaultMetrics({ register: metrics });
const app = serverApp({ id: settings.ID, group: settings.GROUP, metrics });

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  if (request.url === "/large") Readable.from(Array.from({ length: CHUNKS }, () => CHUNK)).pipe(response);
  else app(request, response);
});
const sockets = new WebSocketServer({ server });
sockets.on("connection", (client) => {
  client.on("error", () => {});
  client.on("message", (data, binary) => {
    if (String(data) === "close") client.close(4002, "as you wish");
    else client.send(data, { binary });
  });
});

const stopping = new AbortController();
process.once("SIGTERM", () => stopping.abort());
process.stdin.once("close", () => process.exit()).resume();
await live(
  {
    traffic: { listen: () => listenForTraffic(server, settings), drain: new Drain(server) },
    metrics,
    ready: () => true,
  },
  { settings, log: openLog(settings), stop: stopping.signal },
);
