// The watchdog's command line: asks a running watchdog, or looks for itself (doctor), and prints: tables for people, JSON for
// scripts. Exit code 0: well; 1: unreachable, refused, or doctor found a fault; 2: wrong usage; 78: faulty settings.

import { inheritedEnvironment, readSettings, type Settings } from "../../services/runtime/config.ts";
import { complain, exitCode } from "../../services/runtime/exit.ts";
import { trafficPorts } from "../../services/runtime/ports.ts";
import { addressOf } from "../api/view.ts";
import type { Incident } from "../incidents/incident.ts";
import type { Summary } from "../incidents/record.ts";
import { type Command, parseCommand, type Query, USAGE } from "./command.ts";
import { doctor } from "./doctor.ts";
import { type Finding, findingsText } from "./finding.ts";
import { incidentsText, incidentText } from "./incident-text.ts";
import { query } from "./query.ts";
import { type StateBody, statusText } from "./status-text.ts";
import { plain } from "./table.ts";

async function main(words: readonly string[]): Promise<number> {
  const command = parseCommand(words);
  if (command === undefined) return complain(USAGE, exitCode.usage);
  const { what } = command;
  if (what.kind === "help") return say(USAGE);
  const read = readSettings(inheritedEnvironment({ ROLE: "watchdog" }));
  if (!read.ok) return complain(read.faults.join("\n"), exitCode.settings);
  const { settings } = read;
  const watchdog = command.url ?? urlOf(settings);
  if (what.kind === "doctor") return tell(command, await doctor(settings, watchdog));
  return ask(command, what, { settings, watchdog });
}

async function ask(
  { json }: Command,
  what: Query,
  { settings, watchdog }: { settings: Settings; watchdog: URL },
): Promise<number> {
  const reply = await query(watchdog, what, settings.API_TOKEN);
  if (!reply.ok) return complain(plain(reply.reason), exitCode.failed);
  return say(json ? JSON.stringify(reply.body, null, 2) : textOf(what, reply.body));
}

function tell({ json }: Command, findings: readonly Finding[]): number {
  say(json ? JSON.stringify(findings, null, 2) : findingsText(findings));
  return findings.some(({ level }) => level === "fault") ? exitCode.failed : 0;
}

/** Where the watchdog with these settings listens, as seen from its own host. */
function urlOf(settings: Settings): URL {
  const [port] = trafficPorts(settings).candidates;
  const host = ["0.0.0.0", "::"].includes(settings.HOST) ? "127.0.0.1" : settings.HOST;
  return new URL(`http://${addressOf(host, port as number)}`);
}

function textOf(what: Query, body: unknown): string {
  switch (what.kind) {
    case "status":
      return statusText(body as StateBody);
    case "incidents":
      return incidentsText((body as { incidents: Summary[] }).incidents);
    case "incident":
      return incidentText(body as Incident);
    case "hold":
      return `${what.slot} is held: whatever becomes of it, the watchdog does nothing until "release ${what.slot}"`;
    case "release":
      return `${what.slot} is released: the watchdog looks after it again`;
    case "heal":
      return `${what.slot} is to be replaced: "status" and "incidents" show how it goes`;
    default:
      return what satisfies never;
  }
}

function say(text: string): number {
  console.log(text);
  return 0;
}

// Whoever reads our output, such as `head`, may have read enough.
process.stdout.on("error", () => {});
process.exitCode = await main(process.argv.slice(2));
