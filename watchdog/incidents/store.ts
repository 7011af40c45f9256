// The newest 200 incidents, in memory and in files, so that a watchdog that comes back knows them and the next number.
// Logs stay on disk, but for those under way: 200 long ones would fill the memory that the watchdog is allowed.
// No failure stops it: a file that cannot be read is passed over, an incident that cannot be written waits in memory.

import { Condition, type Log } from "../../services/runtime/log.ts";
import type { Incident, IncidentSummary } from "./incident.ts";
import { IncidentFiles } from "./incident-files.ts";
import { bounded, summaryOf } from "./record.ts";

const KEPT_MAX = 200;

export class Incidents {
  readonly #files: IncidentFiles;
  readonly #log: Log;
  /** By number: all that have a file, or are to get one. */
  readonly #known = new Map<number, IncidentSummary | "unreadable">();
  /** Incidents with their logs: those under way, and those that are newer than their file. */
  readonly #whole = new Map<number, Incident>();
  readonly #unwritten = new Set<number>();
  #writing: Promise<void> = Promise.resolve();
  #lastNumber = 0;
  readonly #condition: Condition;

  constructor(registryFile: string, log: Log) {
    this.#files = new IncidentFiles(registryFile);
    this.#log = log;
    this.#condition = new Condition(log, "incidents");
  }

  async open(): Promise<void> {
    await this.#attempt(() => this.#read());
  }

  /** A number for a new incident: one more than any before, also those of earlier watchdogs. */
  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  /** The newest first. */
  get all(): readonly IncidentSummary[] {
    const summaries = [...this.#known.values()].filter((known) => known !== "unreadable");
    return summaries.sort((one, other) => other.number - one.number);
  }

  /** The oldest first; right after `open`, those that a killed watchdog left. */
  underWay(): readonly Incident[] {
    const open = [...this.#whole.values()].filter(({ outcome }) => outcome === "under-way");
    return open.sort((one, other) => one.number - other.number);
  }

  /** With its log; undefined when there is none with this number. */
  async get(number: number): Promise<Incident | undefined> {
    const whole = this.#whole.get(number);
    if (whole !== undefined || !this.#known.has(number)) return whole;
    const read = await this.#files.read(number);
    return read.ok ? read.incident : undefined;
  }

  /** Knows it at once; resolves when it was written, or could not be, and never rejects. Of several in a row the last counts. */
  keep(incident: Incident): Promise<void> {
    this.#lastNumber = Math.max(this.#lastNumber, incident.number);
    this.#whole.set(incident.number, bounded(incident));
    this.#known.set(incident.number, summaryOf(incident));
    this.#unwritten.add(incident.number);
    return this.#write();
  }

  /** Resolves when all is written; tries once more what could not be before. */
  close(): Promise<void> {
    return this.#write();
  }

  async #read(): Promise<void> {
    const numbers = await this.#files.numbers();
    for (const number of numbers) this.#known.set(number, "unreadable");
    this.#lastNumber = numbers.at(-1) ?? 0;
    await this.#prune();
    const faults: string[] = [];
    // One after another: all of them at once could be more than the watchdog may hold.
    for (const number of this.#known.keys()) {
      const read = await this.#files.read(number);
      if (read.ok) this.#remember(read.incident);
      else faults.push(`${number}.json: ${read.reason}`);
    }
    const { directory } = this.#files;
    if (faults.length > 0) this.#log("incidents-unreadable", { directory, count: faults.length, first: faults[0] });
  }

  #remember(incident: Incident): void {
    this.#known.set(incident.number, summaryOf(incident));
    if (incident.outcome === "under-way") this.#whole.set(incident.number, incident);
  }

  /** One write after another, so that no older one can come last. */
  #write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#attempt(() => this.#writeAll()));
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    await this.#prune();
    for (const number of this.#unwritten) await this.#writeOne(number);
  }

  async #writeOne(number: number): Promise<void> {
    const incident = this.#whole.get(number) as Incident;
    await this.#files.write(incident);
    // A newer version that came meanwhile is written after this one.
    if (this.#whole.get(number) !== incident) return;
    this.#unwritten.delete(number);
    if (incident.outcome !== "under-way") this.#whole.delete(number);
  }

  async #prune(): Promise<void> {
    const oldestFirst = [...this.#known.keys()].sort((one, other) => one - other);
    for (const number of oldestFirst.slice(0, -KEPT_MAX)) {
      this.#known.delete(number);
      this.#whole.delete(number);
      this.#unwritten.delete(number);
      await this.#files.remove(number);
    }
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    await work().then(
      () => this.#condition.recovered(),
      (error: Error) => this.#condition.failing(error.message),
    );
  }
}
