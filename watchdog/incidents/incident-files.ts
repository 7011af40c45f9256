// The directory of incidents, beside the registry: one JSON file each, named by its number. store.ts says which of them are
// kept, and when they are written.

import { readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDirectory, writeAtomically } from "../../services/runtime/atomic-file.ts";
import type { Incident } from "./incident.ts";
import { parseIncident, type ReadIncident } from "./record.ts";

const NAME = /^([1-9]\d{0,14})\.json$/;
/** The half of a file that a watchdog left when it was killed in the middle of a write. */
const HALF_WRITTEN = /^[1-9]\d{0,14}\.json\.tmp$/;

export class IncidentFiles {
  readonly directory: string;

  constructor(registryFile: string) {
    this.directory = join(dirname(registryFile), "incidents");
  }

  /** The numbers that have a file, readable or not, the lowest first. @throws when the directory cannot be made or read */
  async numbers(): Promise<number[]> {
    await makeDirectory(this.directory, "ours");
    const names = await readdir(this.directory);
    for (const name of names.filter((each) => HALF_WRITTEN.test(each))) await this.#remove(name);
    return names
      .flatMap((name) => NAME.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((one, other) => one - other);
  }

  async read(number: number): Promise<ReadIncident> {
    try {
      const read = parseIncident(await readFile(this.#path(number), "utf8"));
      if (!read.ok || read.incident.number === number) return read;
      return { ok: false, reason: `it is number ${read.incident.number}` };
    } catch (error) {
      return { ok: false, reason: (error as NodeJS.ErrnoException).code ?? String(error) };
    }
  }

  /** @throws when it cannot be written */
  async write(incident: Incident): Promise<void> {
    // Somebody may have cleared the directory away.
    await makeDirectory(this.directory, "ours");
    await writeAtomically(this.#path(incident.number), `${JSON.stringify(incident)}\n`);
  }

  async remove(number: number): Promise<void> {
    await this.#remove(`${number}.json`);
  }

  /** A file that cannot be removed is not ours, and does no harm. */
  async #remove(name: string): Promise<void> {
    await rm(join(this.directory, name), { force: true }).catch(() => {});
  }

  #path(number: number): string {
    return join(this.directory, `${number}.json`);
  }
}
