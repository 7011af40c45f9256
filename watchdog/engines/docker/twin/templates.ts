// The templates: each slot's container as it was last inspected, kept on disk before anything is touched. A container that was
// removed is made anew from its template, also by a watchdog that never saw it.

import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, writeAtomically } from "../../../../services/runtime/atomic-file.ts";
import type { Slot } from "../../discovery.ts";
import { composeLabel } from "../compose-labels.ts";
import type { Inspected } from "../containers/document.ts";
import type { Listing } from "../containers/listing.ts";
import { parentsOf } from "../containers/namespaces.ts";

export interface Template {
  readonly slot: Slot;
  readonly inspected: Inspected;
  /** The services of the containers that it, or one before it, shared a namespace or volumes with, by the id of each then. */
  readonly parents: Readonly<Record<string, string>>;
}

const PARENTS_MAX = 50;
type Labelled = Listing["all"];

/** The services of the containers that an inspected one cannot do without, while those are still there to be asked. */
export function parentServices({ HostConfig }: Inspected, all: Labelled): Readonly<Record<string, string>> {
  const services = parentsOf(HostConfig).flatMap((id) => {
    const service = all.find(({ Id }) => Id === id)?.Config.Labels[composeLabel.service];
    return service === undefined ? [] : [[id, service]];
  });
  return Object.fromEntries(services);
}

/** The containers that these services have now, by the id that each was known by. */
export function parentsNow({ parents }: Template, all: Labelled): ReadonlyMap<string, string> {
  const running = all.filter(({ State }) => State.Running);
  return new Map(
    Object.entries(parents).flatMap(([id, service]) => {
      const now = running.find(({ Config }) => Config.Labels[composeLabel.service] === service)?.Id;
      return now === undefined ? [] : [[id, now]];
    }),
  );
}

export class Templates {
  readonly #directory: string;
  readonly #templates = new Map<string, Template>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Reads what an earlier watchdog left; a file that cannot be read is no template. */
  async open(): Promise<void> {
    await makeDirectory(this.#directory, "ours");
    for (const name of await readdir(this.#directory)) {
      if (!name.endsWith(".json")) continue;
      const text = await readFile(join(this.#directory, name), "utf8");
      try {
        const template = { parents: {}, ...(JSON.parse(text) as Omit<Template, "parents">) };
        this.#templates.set(template.slot.id, template);
      } catch {
        await rm(join(this.#directory, name));
      }
    }
  }

  get all(): readonly Template[] {
    return [...this.#templates.values()];
  }

  get(slot: string): Template | undefined {
    return this.#templates.get(slot);
  }

  async keep({ slot, inspected, parents }: Template): Promise<void> {
    const before = this.#templates.get(slot.id);
    if (before?.inspected.Id === inspected.Id) return;
    // One that is back in its place after a failed heal may know its parent by an id that nobody has any more.
    const known = Object.entries({ ...before?.parents, ...parents }).slice(-PARENTS_MAX);
    const template = { slot, inspected, parents: Object.fromEntries(known) };
    this.#templates.set(slot.id, template);
    await writeAtomically(this.#path(slot.id), JSON.stringify(template));
  }

  /** Leaves word that this watchdog ended in good order, and of which slots were filled then. */
  async close(filled: readonly string[]): Promise<void> {
    await writeAtomically(this.#endedMark, JSON.stringify(filled));
  }

  /**
   * Forgets a slot whose container was there when a watchdog ended in good order, and is not there any more: somebody took it
   * away while no watchdog was wanted, by `docker compose down` above all. A container that went before that, or while a watchdog
   * had died, is healed.
   */
  async prune({ members, self }: Listing): Promise<void> {
    const existing = new Set([...members, ...(self ? [self] : [])].map(({ slot }) => slot.id));
    const mark = await readFile(this.#endedMark, "utf8").catch(() => undefined);
    if (mark === undefined) return;
    for (const slot of namesIn(mark)) if (!existing.has(slot)) await this.#drop(slot);
    await rm(this.#endedMark);
  }

  async #drop(slot: string): Promise<void> {
    this.#templates.delete(slot);
    await rm(this.#path(slot), { force: true });
  }

  get #endedMark(): string {
    return join(this.#directory, "ended");
  }

  #path(slot: string): string {
    return join(this.#directory, `${slot}.json`);
  }
}

/** No names where the mark was cut short. */
function namesIn(mark: string): string[] {
  try {
    return (JSON.parse(mark) as unknown[]).map(String);
  } catch {
    return [];
  }
}
