// A member that has gone bad: it listens as told, says so, and then writes on stdout what SCREAM says, as fast as it is read:
// a line without an end, or lines. What it has written so far it tells on its traffic port.

import { once } from "node:events";
import { createServer } from "node:http";
import { readSettings } from "../../../services/runtime/config.ts";
import { adminPorts, listen, trafficPorts } from "../../../services/runtime/ports.ts";

const { SCREAM = "", ROLE, REPORT_NONCE, SCREAM_LINE = "x".repeat(99) } = process.env;
const CHUNK = 65_536;
const chunk =
  SCREAM === "endless"
    ? Buffer.alloc(CHUNK, "x")
    : Buffer.from(`${SCREAM_LINE}\n`.repeat(Math.ceil(CHUNK / (SCREAM_LINE.length + 1))));
let written = 0;

const answers = createServer((_request, response) => response.end(String(written)));
const admin = createServer((_request, response) => response.end("ok"));
const read = readSettings();
if (!read.ok) throw new Error(read.faults.join("\n"));
const { HOST } = read.settings;
const port = await listen(answers, HOST, trafficPorts(read.settings));
const adminPort = await listen(admin, HOST, adminPorts(read.settings));
const report = { event: "listening", role: ROLE, port, adminPort, nonce: REPORT_NONCE };
process.stdout.write(`${JSON.stringify(report)}\n`);
process.stdin.once("close", () => process.exit(0)).resume();
while (SCREAM !== "") {
  if (!process.stdout.write(chunk)) await once(process.stdout, "drain");
  written += chunk.length;
}
