// A real Prometheus with the configuration of deploy/, on a free port and with a directory of its own, over a system of ours.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "../eventually.ts";
import { ask } from "../http/ask.ts";
import { freePort, HOST } from "../ports.ts";
import { temporaryDirectory } from "../registry.ts";
import { inReverse, type Scope } from "../scope.ts";
import { say } from "./programs.ts";

const WITHIN_MS = 60_000;
const LIVES_MS_MAX = 600_000;
export const deployed = fileURLToPath(new URL("../../../deploy/", import.meta.url));

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Prometheus {
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** What an expression says now. @throws where it is no expression */
  async query(expression: string): Promise<readonly Series[]> {
    const { result } = await this.#get<{ result: readonly { metric: Series["metric"]; value: [number, string] }[] }>(
      `/api/v1/query?query=${encodeURIComponent(expression)}`,
    );
    return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  /** The alerting rules that it has loaded, with how each fares. */
  async rules(): Promise<readonly { readonly name: string; readonly health: string; readonly state: string }[]> {
    const { groups } = await this.#get<{ groups: readonly { rules: readonly never[] }[] }>("/api/v1/rules");
    return groups.flatMap(({ rules }) => rules);
  }

  async #get<Data>(path: string): Promise<Data> {
    const { body } = await ask(this.#port, { path });
    const { status, error, data } = JSON.parse(body) as { status: string; error?: string; data: Data };
    if (status !== "success") throw new Error(`${path}: ${error}`);
    return data;
  }
}

/** As it is deployed, but for where the watchdog is, and that it looks every second. */
export async function startPrometheus(outer: Scope, watchdogPort: number): Promise<Prometheus> {
  const scope = inReverse(outer);
  const directory = await temporaryDirectory(scope);
  const text = await readFile(join(deployed, "prometheus/prometheus.yml"), "utf8");
  const config = text
    .replace("watchdog:8404", `${HOST}:${watchdogPort}`)
    .replace("rules.yml", join(deployed, "prometheus/rules.yml"))
    .replaceAll(/(interval): 5s/g, "$1: 1s");
  const file = join(directory, "prometheus.yml");
  await writeFile(file, config);
  const port = await freePort();
  const stop = new AbortController();
  const parameters = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(directory, "data")}`,
    `--web.listen-address=${HOST}:${port}`,
  ];
  const ended = say("prometheus", parameters, { limitMs: LIVES_MS_MAX, stop: stop.signal });
  scope.after(async () => {
    stop.abort();
    await ended;
  });
  const ready = async () => (await ask(port, { path: "/-/ready" }).catch(() => undefined))?.status === 200;
  await eventually("Prometheus is ready", ready, WITHIN_MS);
  return new Prometheus(port);
}
