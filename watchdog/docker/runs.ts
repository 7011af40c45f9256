// What each running container has said on its stdout since its start: where it listens, whether it drains. Read from its log,
// so that a watchdog that comes back reads it again.

import type Docker from "dockerode";
import type { Ports } from "../engine.ts";
import type { EngineEvent } from "../intent.ts";
import type { Report } from "../reports.ts";
import { runOf } from "./inspected.ts";
import { followLog } from "./streams.ts";

interface Told {
  ports?: Ports;
  draining: boolean;
}

export class Runs {
  readonly #docker: Docker;
  readonly #tell: (event: EngineEvent) => void;
  readonly #told = new Map<string, Told>();

  /** @param docker without a time limit @param tell called with what a report says of its member or another */
  constructor(docker: Docker, tell: (event: EngineEvent) => void) {
    this.#docker = docker;
    this.#tell = tell;
  }

  toldBy(inspected: Docker.ContainerInspectInfo): Readonly<Told> {
    return this.#told.get(runOf(inspected)) ?? { draining: false };
  }

  /** Follows these from now on, and no others. */
  follow(running: readonly Docker.ContainerInspectInfo[]): void {
    const runs = new Set(running.map(runOf));
    for (const run of this.#told.keys()) if (!runs.has(run)) this.#told.delete(run);
    for (const inspected of running) if (!this.#told.has(runOf(inspected))) this.#followOne(inspected);
  }

  #followOne(inspected: Docker.ContainerInspectInfo): void {
    const run = runOf(inspected);
    const told: Told = { draining: false };
    this.#told.set(run, told);
    const onReport = (report: Report) => {
      if (report.kind === "listening") told.ports = report.ports;
      if (report.kind === "draining") told.draining = true;
      this.#tell(report.kind === "suspect" ? { kind: "suspected", slot: report.member } : { kind: "changed" });
    };
    const sinceMs = Date.parse(inspected.State.StartedAt);
    // A log that cannot be read, or that ended before it told anything, is opened again by the next round.
    const again = () => {
      if (this.#told.get(run) === told && told.ports === undefined) this.#told.delete(run);
    };
    followLog({ docker: this.#docker, instance: inspected.Id, sinceMs, onReport }).then(again, again);
  }
}
