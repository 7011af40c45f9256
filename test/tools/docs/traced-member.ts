// A member that tells which of its files ran: on each line of stdin it says the names of those whose functions were called since the
// line before, as one JSON line. Nothing else of the member differs.

import { Session } from "node:inspector/promises";
import { createInterface } from "node:readline";

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
createInterface({ input: process.stdin }).on("line", tell);
await import("../../../services/main.ts");

async function tell(): Promise<void> {
  // Counts begin anew with each taking.
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const ran = result.filter(({ functions }) => functions.some(({ ranges }) => (ranges[0]?.count ?? 0) > 0));
  const files = ran.flatMap(({ url }) => /\/services\/.*$/.exec(url) ?? []).map((file) => file.slice(1));
  process.stdout.write(`${JSON.stringify({ event: "ran", files })}\n`);
}
