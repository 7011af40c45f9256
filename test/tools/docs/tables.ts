// The tables of the documents, each made from the code that it is about. A meaning that the code says in a doc comment is read
// from there.

import { readFileSync } from "node:fs";
import type { Registry } from "prom-client";
import { faults } from "../../../services/http/message/faults.ts";
import { events } from "../../../services/runtime/events.ts";
import { exitCode } from "../../../services/runtime/exit.ts";
import { processMetrics } from "../../../services/runtime/metrics.ts";
import { settingsTable } from "../../../services/runtime/settings-table.ts";
import { serverApp } from "../../../services/server.ts";
import { tierMetrics } from "../../../services/tier/metrics.ts";
import { failures } from "../../../services/tier/rules/failures.ts";
import { requestRules } from "../../../services/tier/rules/request-rules.ts";
import { operationList } from "../../../watchdog/api/v1/contract/operations.ts";
import { problemNames, problems, typeOf } from "../../../watchdog/api/v1/contract/problems.ts";
import { labelTable } from "../../../watchdog/desired/label-table.ts";
import { watchdogMetrics } from "../../../watchdog/metrics.ts";

export const tables = {
  settings,
  labels: labelDocs,
  "request-rules": ruleTable,
  failures: failureTable,
  "process-metrics": () => table(METRIC_HEADS, metricRows(processMetrics())),
  "tier-metrics": () =>
    metricTable(
      tierMetrics({
        inFlight: () => 0,
        serving: () => 0,
        upgrades: () => 0,
        links: () => 0,
        connections: () => ({ connections: 0, accepted: 0, dropped: 0 }),
        pools: () => [],
        underWay: () => [],
        connectionsTo: () => [],
        held: () => undefined,
      }).registry,
    ),
  "server-metrics": () => metricTable(serverMetrics()),
  "watchdog-metrics": () => metricTable(watchdogMetrics().registry),
  "api-operations": operationTable,
  "api-problems": problemTable,
  alerts: alertTable,
  events: eventTable,
  "exit-codes": exitTable,
} as const satisfies Record<string, () => string | Promise<string>>;

function operationTable(): string {
  const rows = operationList().map(([, { method, path, query = {}, summary, body, answers, status }]) => {
    const asked = Object.keys(query).length === 0 ? "" : `?${Object.keys(query).join("&")}`;
    const sends = body === undefined ? "" : `, by ${code(body)}`;
    return [code(`${method.toUpperCase()} /api/v1${path}${asked}`), `${summary}${sends}`, `${status} ${code(answers)}`];
  });
  return table(["request", "what it does", "answer"], rows);
}

function problemTable(): string {
  return table(
    ["status", "type", "when"],
    problemNames.map((name) => [String(problems[name].status), code(typeOf(name)), problems[name].title]),
  );
}

function settings(): string {
  const rows = Object.entries(settingsTable).map(([name, entry]) => {
    const fallback = "fallback" in entry && entry.fallback !== "" ? code(entry.fallback) : "";
    return [code(name), fallback, entry.about];
  });
  return table(["setting", "default", "what it is"], rows);
}

function labelDocs(): string {
  const rows = Object.entries(labelTable).map(([name, { about, example }]) => [
    code(`evenkeel.${name}`),
    code(JSON.stringify(example)),
    about,
  ]);
  return table(["label", "such as", "what it says"], rows);
}

/** No request has one of these. */
const FAULTS_OF_RESPONSES: ReadonlySet<keyof typeof faults> = new Set([
  "statusLine",
  "informationalTooMany",
  "switched",
]);

/** The parser's faults, those of one rule together, and then the rules; what both check stands where it is checked first. */
function ruleTable(): string {
  const ofRequests = (Object.keys(faults) as (keyof typeof faults)[]).filter((name) => !FAULTS_OF_RESPONSES.has(name));
  const parsers = ofRequests.map((name) => faults[name]);
  const rules = requestRules.map(({ name, status, reason }) => ({ rule: name, status, reason }));
  const names = [...new Set(parsers.map(({ rule }) => rule))];
  const grouped = names.flatMap((name) => parsers.filter(({ rule }) => rule === name));
  const rows = [...grouped, ...rules].map(({ rule, status, reason }) => [code(rule), String(status), reason]);
  const unique = new Map(rows.map((row) => [row.join(), row]));
  return table(["rule", "status", "what is wrong with the request"], [...unique.values()]);
}

const SENT_AGAIN = { any: "any method", idempotent: "idempotent methods", never: "never" } as const;
const SPEAKS_AGAINST = {
  member: "the member: out of reach",
  slow: "the member: a failure",
  client: "the client",
  nobody: "nobody",
};

function failureTable(): string {
  const meanings = docComments("services/tier/rules/failures.ts", Object.keys(failures));
  const rows = Object.entries(failures).map(([name, { status, retry, blame }]) => {
    return [code(name), meanings.get(name) ?? "", String(status), SENT_AGAIN[retry], SPEAKS_AGAINST[blame]];
  });
  return table(["failure", "what happened", "status", "sent again", "speaks against"], rows);
}

function eventTable(): string {
  const rows = Object.entries(events).map(([name, event]) => {
    return [code(name), event.level, event.meaning + ("report" in event ? " Always written." : "")];
  });
  return table(["event", "level", "meaning"], rows);
}

/** As their rules have them; the summary's variables as words. */
function alertTable(): string {
  const rules = readFileSync(new URL("../../../deploy/prometheus/rules.yml", import.meta.url), "utf8");
  const rows = rules
    .split("- alert: ")
    .slice(1)
    .map((rule) => {
      const [, name = ""] = /^(\w+)/.exec(rule) ?? [];
      const [, severity = ""] = /severity: (\w+)/.exec(rule) ?? [];
      const [, after = "at once"] = /^ +for: (\w+)/m.exec(rule) ?? [];
      const [, description = ""] = /description: (.+)/.exec(rule) ?? [];
      const [, summary = ""] = /summary: (.+)/.exec(rule) ?? [];
      return [code(name), severity, after, wordsOf(`${unquoted(summary)} ${unquoted(description)}`)];
    });
  return table(["alert", "severity", "after", "what it says"], rows);
}

const unquoted = (text: string) => text.replace(/^'(.*)'$/, "$1");
const wordsOf = (text: string) =>
  text
    .replace(/\{\{ \$value \|[^}]*\}\}/g, "…")
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_all, label: string) => label.toUpperCase());

function exitTable(): string {
  const meanings = docComments("services/runtime/exit.ts", Object.keys(exitCode));
  const rows = Object.entries(exitCode).map(([name, exit]) => [String(exit), meanings.get(name) ?? ""]);
  return table(["code", "meaning"], [["0", "Told to stop, and stopped in order; or the command succeeded."], ...rows]);
}

function serverMetrics(): Registry {
  const metrics = processMetrics();
  serverApp({ id: "server-1", group: "1", metrics });
  return metrics;
}

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly type: string;
}

const METRIC_HEADS = ["metric", "type", "labels", "what it is"];

/** A role's, without what every process has. */
function metricTable(registry: Registry): string {
  const ofEvery = new Set(metricRows(processMetrics()).map(([name]) => name));
  return table(
    METRIC_HEADS,
    metricRows(registry).filter(([name]) => !ofEvery.has(name)),
  );
}

function metricRows(registry: Registry): string[][] {
  const all = registry.getMetricsAsArray() as unknown as Metric[];
  return all.map(({ name, help, type, labelNames }) => [code(name), type, labelNames.map(code).join(", "), help]);
}

/** The comment above each entry of the file's tables, by the entry's name. @throws where an entry has none */
function docComments(path: string, names: readonly string[]): ReadonlyMap<string, string> {
  const text = readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
  const entries = text.matchAll(/^ *\/\*\*((?:(?!\*\/)[\s\S])+)\*\/\n *"?([\w-]+)"?:/gm);
  const meanings = new Map([...entries].map(([, comment, name]) => [name as string, proseOf(comment as string)]));
  const missing = names.filter((name) => !meanings.has(name));
  if (missing.length > 0) throw new Error(`${path} says nothing above ${missing.join(", ")}`);
  return meanings;
}

const proseOf = (comment: string) => comment.replace(/\s*\n\s*\*?\s*/g, " ").trim();

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.map(escaped).join(" | ")} |`);
  return `${lines.join("\n")}\n`;
}

const code = (text: string) => `\`${text}\``;
const escaped = (text: string) => text.replaceAll("|", "\\|");
