// The command line: one request, or many with a summary, as the client with the given number.
// Exit code 0: all were answered; 1: unreachable or a 5xx; 2: wrong usage; 78: faulty settings.

import { print, runCommandLine } from "../command-line/command-line.ts";
import { localUrl } from "../runtime/address.ts";
import type { Settings } from "../runtime/config.ts";
import { complain, exitCode } from "../runtime/exit.ts";
import { type ClientCommand, HELP, parseCommand, USAGE } from "./command.ts";
import { many } from "./many.ts";
import { targetOf } from "./request.ts";
import { Requester } from "./requester.ts";

const BODY_SHOWN_BYTES_MAX = 16 * 1_024 * 1_024;

type Destined = ClientCommand & { readonly url: URL };

async function run(command: ClientCommand, settings: Settings): Promise<number> {
  const destined = { ...command, url: command.url ?? balancerUrl(settings) };
  const { plan } = destined;
  return plan === undefined ? one(destined) : many({ ...destined, plan });
}

function balancerUrl({ BALANCER_URL, BALANCER_PORT, HOST }: Settings): URL {
  return BALANCER_URL === undefined ? localUrl(HOST, BALANCER_PORT) : new URL(BALANCER_URL);
}

async function one({ client, url, json }: Destined): Promise<number> {
  const requester = new Requester(targetOf(url, client), { connections: 1, keptBytes: BODY_SHOWN_BYTES_MAX });
  const result = await requester.ask();
  requester.close();
  if (json) {
    print(JSON.stringify({ client, ...result }, null, 2));
    return result.ok ? 0 : exitCode.failed;
  }
  if (!result.ok) return complain(result.reason, exitCode.failed);
  const { server, proxy, ms, body } = result;
  print(`client ${client}: served by ${server} through ${proxy} in ${ms.toFixed(1)} ms`);
  return print(body.trimEnd());
}

const commandLine = { usage: USAGE, help: HELP, role: "client", parse: parseCommand, run } as const;
process.exitCode = await runCommandLine(commandLine, process.argv.slice(2));
