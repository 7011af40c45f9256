// The reports of each running container since its start: where it listens, whether it drains. They are read from its log, so
// that a watchdog that comes back reads them again.

import type Docker from "dockerode";
import type { MemberReport } from "../../../rules/member-reports.ts";
import { ReportChannel } from "../../../rules/report-channel.ts";
import type { EngineEvent, Ports } from "../../discovery.ts";
import { runBeforeEndedMs, runOf } from "../containers/inspected.ts";
import type { Listed } from "../containers/listing.ts";
import { followLog } from "./logs.ts";

interface Told {
  ports?: Ports;
  draining: boolean;
  /** From when on its log is yet to be read. */
  sinceMs: number;
  followed: boolean;
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

  toldBy(inspected: Docker.ContainerInspectInfo): { readonly ports?: Ports; readonly draining: boolean } {
    return this.#told.get(runOf(inspected)) ?? { draining: false };
  }

  /** Follows these from now on, and no others. A log that broke off is opened again. */
  follow(running: readonly Listed[]): void {
    const runs = new Set(running.map(({ inspected }) => runOf(inspected)));
    for (const run of this.#told.keys()) if (!runs.has(run)) this.#told.delete(run);
    for (const listed of running) {
      const told = this.#of(listed.inspected);
      if (!told.followed) this.#followOne(listed, told);
    }
  }

  #of(inspected: Docker.ContainerInspectInfo): Told {
    const run = runOf(inspected);
    const known = this.#told.get(run);
    if (known !== undefined) return known;
    const told: Told = { draining: false, sinceMs: runBeforeEndedMs(inspected), followed: false };
    this.#told.set(run, told);
    return told;
  }

  #followOne({ slot, inspected }: Listed, told: Told): void {
    const { Id: instance } = inspected;
    told.followed = true;
    // Compared with what the member says, which carries the host's time.
    const openedMs = Date.now();
    const onReport = (report: MemberReport) => {
      if (report.kind === "listening") {
        told.ports = report.ports;
        told.draining = false;
      }
      // The run before made it, and the engine wrote it down only after that had ended.
      if (report.kind === "draining" && report.atMs <= runBeforeEndedMs(inspected)) return;
      if (report.kind === "draining") told.draining = true;
      // It was made before we listened: the engine and the probes tell what became of that.
      if (report.kind === "suspect" && report.atMs < openedMs) return;
      this.#tell(eventOf(report, { instance, by: slot.id }));
    };
    const over = () => {
      told.followed = false;
      // The lines that tell where it listens were read; the next reading begins behind them.
      if (told.ports !== undefined) told.sinceMs = Date.now();
    };
    const { sinceMs } = told;
    const channel = new ReportChannel({ onReport });
    followLog({ docker: this.#docker, instance, tty: inspected.Config.Tty, sinceMs, channel }).then(over, over);
  }
}

/** A member drains because it got a signal to stop, and says so sooner than a busy engine does. */
function eventOf(
  report: MemberReport,
  { instance, by }: { readonly instance: string; readonly by: string },
): EngineEvent {
  switch (report.kind) {
    case "suspect":
      return { kind: "suspected", slot: report.member, by };
    case "draining":
      return { kind: "signalled", instance, signal: "TERM", engineMs: report.atMs };
    default:
      return { kind: "changed" };
  }
}
