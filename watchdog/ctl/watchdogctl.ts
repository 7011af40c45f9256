// The watchdog's command line: asks a running watchdog, or looks for itself (doctor), and prints: tables for people, JSON for
// scripts. Exit code 0: well; 1: unreachable, refused, or doctor found a fault; 2: wrong usage; 78: faulty settings.

import { print, runCommandLine } from "../../services/command-line/command-line.ts";
import { plain } from "../../services/command-line/text-table.ts";
import type { Settings } from "../../services/runtime/config.ts";
import { complain, exitCode } from "../../services/runtime/exit.ts";
import { ApiClient, watchdogUrl } from "../api/client.ts";
import { goOnAs } from "../guardian/user.ts";
import { ask } from "./ask.ts";
import { type CtlCommand, HELP, parseCommand, USAGE, type WatchdogQuery } from "./command.ts";
import { doctor } from "./doctor.ts";
import { type Finding, findingsText } from "./finding.ts";

const ANSWERS_WITHIN_MS = 10_000;

async function run(command: CtlCommand, settings: Settings): Promise<number> {
  const { what, url: watchdog = watchdogUrl(settings) } = command;
  if (what.kind === "doctor") return printFindings(command, await doctor(settings, watchdog));
  goOnAs(settings.WATCHDOG_USER);
  const api = new ApiClient({ watchdog, timeoutMs: ANSWERS_WITHIN_MS, token: settings.API_TOKEN });
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

function printFindings({ json }: CtlCommand, findings: readonly Finding[]): number {
  print(json ? JSON.stringify(findings, null, 2) : findingsText(findings));
  return findings.some(({ level }) => level === "fault") ? exitCode.failed : 0;
}

const commandLine = { usage: USAGE, help: HELP, role: "watchdog", parse: parseCommand, run } as const;
process.exitCode = await runCommandLine(commandLine, process.argv.slice(2));
