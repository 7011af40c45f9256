// The command line: one request, or many with a summary, as the client with the given number.
// Exit code 0: all were answered; 1: unreachable or a 5xx; 2: wrong usage; 78: faulty settings.

import { print, runCommandLine, stopSignal } from "../command-line/command-line.ts";
import { localUrl } from "../runtime/address.ts";
import type { Settings } from "../runtime/config.ts";
import { complain, exitCode } from "../runtime/exit.ts";
import { type ClientCommand, HELP, parseCommand, USAGE } from "./command.ts";
import { request } from "./request.ts";
import { Summary } from "./summary.ts";

type Destined = ClientCommand & { readonly url: URL };

async function run(command: ClientCommand, settings: Settings): Promise<number> {
  const destined = { ...command, url: command.url ?? balancerUrl(settings) };
  return destined.count === 1 ? one(destined) : many(destined);
}

function balancerUrl({ BALANCER_URL, BALANCER_PORT, HOST }: Settings): URL {
  return BALANCER_URL === undefined ? localUrl(HOST, BALANCER_PORT) : new URL(BALANCER_URL);
}

async function one({ client, url }: Destined): Promise<number> {
  const result = await request({ url, client });
  if (!result.ok) return complain(result.reason, exitCode.failed);
  const { server, proxy, ms, body } = result;
  print(`client ${client}: served by ${server} through ${proxy} in ${ms.toFixed(1)} ms`);
  return print(body.trimEnd());
}

/** One request after another, so that the summary counts exactly what the balancer saw. */
async function many({ client, count, url }: Destined): Promise<number> {
  const summary = new Summary();
  const stop = stopSignal();
  for (let sent = 0; sent < count; sent += 1) {
    const result = await request({ url, client, stop });
    // The one that is given up half-way is neither answered nor failed.
    if (stop.aborted) break;
    summary.count(result);
    if (process.stderr.isTTY) process.stderr.write(`\r${sent + 1}/${count}`);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const { counts, failures } = summary.text(client, count);
  print(counts);
  for (const line of failures) console.error(line);
  return summary.failed === 0 ? 0 : exitCode.failed;
}

const commandLine = { usage: USAGE, help: HELP, role: "client", parse: parseCommand, run } as const;
process.exitCode = await runCommandLine(commandLine, process.argv.slice(2));
