// The watchdog's command line: asks a running watchdog, or looks for itself (doctor, check), and prints: tables for people, JSON for
// scripts. Exit code 0: well; 1: unreachable, refused, or doctor found a fault; 2: wrong usage; 78: faulty settings; a roll's: roll.ts; scale.ts.

import { print, runCommandLine } from "../../services/command-line/command-line.ts";
import { plain } from "../../services/command-line/text-table.ts";
import type { Settings } from "../../services/runtime/config.ts";
import { complain, exitCode } from "../../services/runtime/exit.ts";
import { ApiClient, watchdogUrl } from "../api/client.ts";
import { goOnAs } from "../guardian/user.ts";
import { ask } from "./ask.ts";
import { type CtlCommand, HELP, parseCommand, USAGE, type WatchdogQuery } from "./command.ts";
import { doctor } from "./doctor/doctor.ts";
import { type Finding, findingsText } from "./doctor/finding.ts";
import { composeFindings } from "./doctor/findings-compose.ts";
import { top } from "./live/top.ts";
import { watchStatus } from "./live/watch-status.ts";
import { roll } from "./roll.ts";
import { scale } from "./scale.ts";

const ANSWERS_WITHIN_MS = 10_000;
const INPUT_BYTES_MAX = 8 * 1024 * 1024;

async function run(command: CtlCommand, settings: Settings): Promise<number> {
  const { what, url: watchdog = watchdogUrl(settings) } = command;
  if (what.kind === "doctor") return printFindings(command, await doctor(settings, watchdog));
  goOnAs(settings.WATCHDOG_USER);
  if (what.kind === "check") return check(command);
  const api = new ApiClient({ watchdog, timeoutMs: ANSWERS_WITHIN_MS, token: settings.API_TOKEN });
  if (what.kind === "top") return top({ watchdog, token: settings.API_TOKEN });
  if (what.kind === "status" && command.watch) return watchStatus(api, { json: command.json, at: watchdog.origin });
  const shown = { at: watchdog.origin, json: command.json };
  if (what.kind === "scale") return scale(api, what, shown);
  if (what.kind === "roll") return roll(api, what, shown);
  return printAnswer(command, api, { what, at: watchdog.origin });
}

interface Question {
  readonly what: WatchdogQuery;
  readonly at: string;
}

async function printAnswer({ json }: CtlCommand, api: ApiClient, { what, at }: Question): Promise<number> {
  const told = await ask(api, what, at);
  if (!told.ok) return complain(plain(told.reason), exitCode.failed);
  return print(json ? JSON.stringify(told.body, null, 2) : told.text);
}

/** Of the Compose file that comes in, as `docker compose config` writes it. */
async function check(command: CtlCommand): Promise<number> {
  const text = await readInput(process.stdin);
  const findings = text === undefined ? undefined : composeFindings(jsonOf(text));
  if (findings !== undefined) return printFindings(command, findings);
  const fix = "docker compose config --format json | docker compose exec -T watchdog node watchdogctl.js check";
  return complain(`what came in is no Compose file as JSON: ${fix}`, exitCode.failed);
}

/** @returns undefined for more than a Compose file has */
async function readInput(input: NodeJS.ReadableStream): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of input) {
    pieces.push(piece as Buffer);
    bytes += (piece as Buffer).length;
    if (bytes > INPUT_BYTES_MAX) return undefined;
  }
  return Buffer.concat(pieces).toString();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function printFindings({ json }: CtlCommand, findings: readonly Finding[]): number {
  print(json ? JSON.stringify(findings, null, 2) : findingsText(findings));
  return findings.some(({ level }) => level === "fault") ? exitCode.failed : 0;
}

const commandLine = { usage: USAGE, help: HELP, role: "watchdog", parse: parseCommand, run } as const;
process.exitCode = await runCommandLine(commandLine, process.argv.slice(2));
