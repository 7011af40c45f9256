// The reports of each running container since its start: where it listens, whether it drains. They are read from its log, so
// that a watchdog that comes back reads them again.

import type Docker from "dockerode";
import { monotonicMs } from "../../../../services/runtime/clock.ts";
import { type Role, takesTraffic } from "../../../../services/runtime/roles.ts";
import type { MemberReport } from "../../../rules/member-reports.ts";
import { ReportChannel } from "../../../rules/report-channel.ts";
import type { EngineEvent, Found, Ports } from "../../discovery.ts";
import { type ReportTerms, termsOf } from "../../report-terms.ts";
import { environmentOf, runBeforeEndedMs, runOf } from "../containers/inspected.ts";
import type { Listed } from "../containers/listing.ts";
import { hasReadableLog } from "../containers/obstacle.ts";
import { followLog } from "./logs.ts";

interface Told {
  readonly channel: ReportChannel;
  ports?: Ports;
  draining: boolean;
  /** From when on its log is yet to be read. */
  sinceMs: number;
  /** When that began, by this host's clock. */
  openedMs: number;
  /** The same by our own. */
  openedAtMs: number;
  followed: boolean;
}

/** What a run has reported so far. */
export type RunReports = Pick<Found, "ports" | "draining" | "unheard">;

const NOTHING: RunReports = { draining: false, unheard: { bytes: 0, reports: 0 } };

interface RunsParts {
  /** Without a time limit. */
  readonly docker: Docker;
  /** Slots whose program puts its nonce into its reports, as far as it has been heard. */
  readonly signing: Set<string>;
  /** Called with what a report says of its member or another. */
  readonly tell: (event: EngineEvent) => void;
}

/** An engine gives what it has kept of a log at once, a busy one a moment later. */
const PAST_READ_WITHIN_MS = 10_000;

export class Runs {
  readonly #parts: RunsParts;
  readonly #told = new Map<string, Told>();

  constructor(parts: RunsParts) {
    this.#parts = parts;
  }

  toldBy(inspected: Docker.ContainerInspectInfo): RunReports {
    const told = this.#told.get(runOf(inspected));
    if (told === undefined) return NOTHING;
    const { ports, draining, channel } = told;
    return { draining, unheard: channel.unheard, ...(ports === undefined ? {} : { ports }) };
  }

  /** Follows these from now on, and no others. A log that broke off is opened again. */
  follow(running: readonly Listed[]): void {
    const runs = new Set(running.map(({ inspected }) => runOf(inspected)));
    for (const run of this.#told.keys()) if (!runs.has(run)) this.#told.delete(run);
    for (const listed of running) {
      const told = this.#of(listed);
      if (!told.followed && hasReadableLog(listed.inspected)) this.#followOne(listed, told);
    }
  }

  #of(listed: Listed): Told {
    const run = runOf(listed.inspected);
    const known = this.#told.get(run);
    if (known !== undefined) return known;
    const terms = reportTermsOf(listed);
    const ports = assumedPorts(listed, terms);
    const told: Told = {
      ...(ports === undefined ? {} : { ports }),
      channel: new ReportChannel({
        terms,
        onReport: (report) => this.#hear(report, listed, told),
      }),
      draining: false,
      sinceMs: runBeforeEndedMs(listed.inspected),
      openedMs: 0,
      openedAtMs: 0,
      followed: false,
    };
    this.#told.set(run, told);
    return told;
  }

  #followOne({ inspected }: Listed, told: Told): void {
    // The host's clock may have been set back since.
    const sinceMs = Math.min(told.sinceMs, Date.now());
    const { channel } = told;
    told.followed = true;
    // Compared with what the member says, which carries the host's time.
    told.openedMs = Date.now();
    told.openedAtMs = monotonicMs();
    const over = () => {
      told.followed = false;
      // The lines that tell where it listens were read; the next reading begins behind them.
      if (told.ports !== undefined) told.sinceMs = Date.now();
    };
    const { Id: instance, Config } = inspected;
    followLog({ docker: this.#parts.docker, instance, tty: Config.Tty, sinceMs, channel }).then(over, over);
  }

  #hear(report: MemberReport, { slot, inspected }: Listed, told: Told): void {
    const { signing, tell } = this.#parts;
    if (told.channel.signs) signing.add(slot.id);
    else signing.delete(slot.id);
    if (report.kind === "listening") {
      told.ports = report.ports;
      told.draining = false;
    }
    // The run before made it, and the engine wrote it down only after that had ended.
    if (report.kind === "draining" && report.atMs <= runBeforeEndedMs(inspected)) return;
    if (report.kind === "draining") told.draining = true;
    // It was made before we listened: the engine and the probes tell what became of that.
    if (report.kind === "suspect" && isPast(report.atMs, told)) return;
    tell(eventOf(report, { instance: inspected.Id, by: slot.id }));
  }
}

/** One of our programs that was started without a nonce echoes its host name; in the host's namespace that is the host's. */
export function reportTermsOf({ slot, inspected }: Listed): ReportTerms {
  const { Env } = inspected.Config;
  const Hostname = inspected.HostConfig.UTSMode === "host" ? undefined : inspected.Config.Hostname;
  // Whoever reports is a program of ours.
  const role = slot.role as Role;
  return termsOf({ role, environment: Object.fromEntries(environmentOf(Env)), hostname: Hostname });
}

/**
 * Where our own program listens whose log cannot be read: alone in its network, it has the first port that it tries. Whoever puts
 * another program in its place has to have a log.
 */
function assumedPorts({ slot, inspected }: Listed, { ports }: ReportTerms): Ports | undefined {
  const { Config, HostConfig } = inspected;
  const isOurProgram = Config.Cmd?.at(-1)?.endsWith("services/main.js") ?? false;
  if (hasReadableLog(inspected) || !isOurProgram || /^(host|none|container:.*)$/.test(HostConfig.NetworkMode ?? ""))
    return undefined;
  const [port] = ports.traffic;
  const [adminPort] = ports.admin;
  if (adminPort === undefined) return undefined;
  return takesTraffic(slot.role) && port !== undefined ? { port, adminPort } : { adminPort };
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

/** Was it made before we listened? Past the first moments nothing is, whatever a clock that was set says. */
function isPast(atMs: number, { openedMs, openedAtMs }: Told): boolean {
  return atMs < openedMs && monotonicMs() - openedAtMs < PAST_READ_WITHIN_MS;
}
