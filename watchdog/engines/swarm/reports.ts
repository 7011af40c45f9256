// What our own tiers report on their stdout, read from their tasks' logs by way of the manager: which member they cannot reach, and that
// they speak the link. Nobody relies on it: a log that breaks off is opened again, and a probe finds out what was missed.

import type { Readable } from "node:stream";
import { monotonicMs, nowMs } from "../../../services/runtime/clock.ts";
import { ReportChannel } from "../../rules/report-channel.ts";
import type { EngineEvent, Found } from "../discovery.ts";
import type { Connection } from "../docker/connection.ts";
import { LogFrames } from "../docker/streams/log-frames.ts";
import { readPaced } from "../paced-reading.ts";
import type { Reporter } from "./tasks.ts";

const REOPEN_AFTER_MS = 1_000;

/** The types do not have it. */
interface FollowedTask {
  logs(options: { readonly follow: true; readonly stdout: true; readonly since: number }): Promise<Readable>;
}

interface Told {
  readonly channel: ReportChannel;
  stream: Readable | undefined;
  link: 1 | undefined;
  isOpen: boolean;
  notBeforeMs: number;
}

export class TaskReports {
  readonly #connection: Connection;
  readonly #tell: (event: EngineEvent) => void;
  /** By task. */
  readonly #told = new Map<string, Told>();

  /** @param tell called with what a report says of another member */
  constructor(connection: Connection, tell: (event: EngineEvent) => void) {
    this.#connection = connection;
    this.#tell = tell;
  }

  /** Follows these from now on, and no others. */
  follow(reporters: readonly Reporter[]): void {
    const tasks = new Set(reporters.map(({ task }) => task));
    for (const [task, told] of this.#told) {
      if (tasks.has(task)) continue;
      this.#told.delete(task);
      told.stream?.destroy();
    }
    for (const reporter of reporters) {
      const told = this.#of(reporter);
      if (!told.isOpen && monotonicMs() >= told.notBeforeMs) void this.#open(reporter.task, told);
    }
  }

  /** As it was found, with what it has told. */
  with(found: Found): Found {
    const told = this.#told.get(found.instance);
    if (told === undefined) return found;
    const { link, channel } = told;
    return { ...found, unheard: channel.unheard, ...(link && { ports: { ...found.ports, link } }) };
  }

  close(): void {
    this.follow([]);
  }

  #of({ task, slot, terms }: Reporter): Told {
    const known = this.#told.get(task);
    if (known !== undefined) return known;
    const channel = new ReportChannel({
      terms,
      onReport: (report) => {
        if (report.kind === "suspect") this.#tell({ kind: "suspected", slot: report.member, by: slot });
        if (report.kind !== "listening" || report.ports.link === undefined) return;
        told.link = report.ports.link;
        this.#tell({ kind: "changed" });
      },
    });
    const told: Told = { channel, stream: undefined, link: undefined, isOpen: false, notBeforeMs: 0 };
    this.#told.set(task, told);
    return told;
  }

  async #open(task: string, told: Told): Promise<void> {
    told.isOpen = true;
    // What it said of itself was at its start; of others, only what is new helps.
    const since = told.link === undefined ? 0 : Math.floor(nowMs() / 1_000);
    try {
      const followed = this.#connection.streams.getTask(task) as unknown as FollowedTask;
      const stream = await followed.logs({ follow: true, stdout: true, since });
      told.stream = stream;
      if (!this.#told.has(task)) stream.destroy();
      const frames = new LogFrames();
      await readPaced(stream, (piece) => frames.push(piece, (part) => told.channel.push(part, nowMs())));
      told.channel.end(nowMs());
    } catch {
      // Its node does not answer, or it is gone.
    }
    told.stream = undefined;
    told.notBeforeMs = monotonicMs() + REOPEN_AFTER_MS;
    told.isOpen = false;
  }
}
