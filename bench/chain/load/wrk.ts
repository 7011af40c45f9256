// The closed loop by wrk, a load generator in C: one thread, so many connections, each with its next request as soon as it has
// its answer. A script has it count exactly and print that as JSON.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HOST } from "../../../test/tools/ports.ts";
import type { Children } from "../children.ts";
import type { ClosedLoop } from "./closed-loop.ts";
import type { LoadResult } from "./result.ts";

/** Longer than any stack lets a request wait, so that wrk counts answers and not its own patience. */
const TIMEOUT_S = 20;
const SLACK_MS = 30_000;

/** `done` runs once, after the load: it costs no request anything. */
const DONE = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{"answers":%d,"failed":%d,"broken":%d,"bytes":%d,"seconds":%f,"p50Ms":%f,"p99Ms":%f}\\n',
    summary.requests, e.status, e.connect + e.read + e.write + e.timeout, summary.bytes, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
`;

interface Tools {
  readonly children: Children;
  readonly folder: string;
}

export async function wrk(load: ClosedLoop, { children, folder }: Tools): Promise<LoadResult> {
  const script = join(folder, `load-${load.port}.lua`);
  await writeFile(script, scriptOf(load));
  const { port, connections, seconds, request } = load;
  const parameters = [
    ...["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", `${TIMEOUT_S}s`],
    ...["-s", script, `http://${HOST}:${port}${request.path}`],
  ];
  const stdout = await children.run({ program: "wrk", parameters }, seconds * 1_000 + SLACK_MS);
  const line = stdout.split("\n").find((each) => each.startsWith("{"));
  if (line === undefined) throw new Error(`wrk says no figures: ${stdout}`);
  return JSON.parse(line) as LoadResult;
}

function scriptOf({ request: { method = "GET", bodyBytes = 0, close = false } }: ClosedLoop): string {
  const body = bodyBytes > 0 ? `wrk.body = string.rep("x", ${bodyBytes})\n` : "";
  const connection = close ? 'wrk.headers["Connection"] = "close"\n' : "";
  return `wrk.method = "${method}"\n${body}${connection}${DONE}`;
}
