// The templates: each slot's container as it was inspected last, kept on disk before anything is touched. A container that was
// removed is made anew from its template, also by a watchdog that never saw it. What cannot be written, on a full disk say, is kept in
// memory and written later: whoever is to be healed then does not wait for it.

import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, writeAtomically } from "../../../../services/runtime/atomic-file.ts";
import { monotonicMs } from "../../../../services/runtime/clock.ts";
import type { Condition } from "../../../../services/runtime/log.ts";
import type { Slot } from "../../../desired/slot.ts";
import { composeLabel } from "../compose-labels.ts";
import { properName } from "../container-names.ts";
import { addressesOf } from "../containers/addresses.ts";
import type { Inspected } from "../containers/document.ts";
import type { Listed, Listing } from "../containers/listing.ts";
import { networkHolder, parentsOf } from "../containers/namespaces.ts";
import { areAlike, latestOf } from "./latest.ts";

export interface Template {
  readonly slot: Slot;
  readonly inspected: Inspected;
  /** The services of the containers that it, or one before it, shared a namespace or volumes with, by the id of each then. */
  readonly parents: Readonly<Record<string, string>>;
  /** The ids of the containers that a watchdog made last: one, and the one before it. */
  readonly made?: readonly string[];
  /** The paths of the files that Compose had copied into it: whatever made the template has none of them. */
  readonly copied?: readonly string[];
  /** The id of the container that a watchdog stopped last: that was no stop intent. */
  readonly ending?: string;
}

const PARENTS_MAX = 50;
const MADE_MAX = 2;
/** The mark of a watchdog that ended in good order. */
const ENDED = "ended";
type Labelled = Listing["all"];

/** The services of the containers that an inspected one cannot do without, while those are still there to be asked. */
function parentServices({ HostConfig }: Inspected, all: Labelled): Readonly<Record<string, string>> {
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
  readonly #networks: ReadonlySet<string>;
  readonly #templates = new Map<string, Template>();
  #written: Promise<unknown> = Promise.resolve();
  readonly #unwritten = new Set<string>();
  readonly #condition: Pick<Condition, "failing" | "recovered">;
  /** By slot: the container as it was looked at last. One that was inspected anew is another object. */
  readonly #seen = new Map<string, Listed["inspected"]>();
  /** By slot: when it was forgotten. A listing that was begun before may still tell of its container. */
  readonly #forgottenMs = new Map<string, number>();

  /**
   * @param networks the watchdog's own: a container is reached on one of them; none: on any
   * @param condition told when they cannot be written
   */
  constructor(directory: string, networks: ReadonlySet<string>, condition: Pick<Condition, "failing" | "recovered">) {
    this.#directory = directory;
    this.#networks = networks;
    this.#condition = condition;
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

  /** Keeps what is to be known of a slot's container as it is now. */
  async look({ slot, inspected: info }: Listed, { all, begunMs }: Listing): Promise<void> {
    if (this.#seen.get(slot.id) === info || begunMs <= (this.#forgottenMs.get(slot.id) ?? -1)) return;
    this.#forgottenMs.delete(slot.id);
    this.#seen.set(slot.id, info);
    const document = info as unknown as Inspected;
    const now = { ...document, Name: properName(info) };
    const networks = networkHolder(info, all)?.NetworkSettings.Networks ?? {};
    const reached = info.State.Running && addressesOf(networks, { fronts: [], own: this.#networks }).host !== undefined;
    const before = this.#templates.get(slot.id);
    const inspected = latestOf(before?.inspected, now, reached);
    const isSame = before !== undefined && areAlike(before.inspected, inspected);
    if (isSame && JSON.stringify(before.slot) === JSON.stringify(slot)) return;
    const parents = parentServices(document, all);
    // One that is back in its place after a failed heal may know its parent by an id that nobody has any more.
    const known = Object.entries({ ...before?.parents, ...parents }).slice(-PARENTS_MAX);
    await this.#keep({ ...before, slot, inspected, parents: Object.fromEntries(known) });
  }

  /** A watchdog has made this container for the slot. @param like what it was made from, where the slot is new */
  async made(slot: string, instance: string, like: Template): Promise<void> {
    const template = this.#templates.get(slot) ?? like;
    await this.#keep({ ...template, made: [...(template.made ?? []), instance].slice(-MADE_MAX) });
  }

  /** The slot's container holds these files, which Compose has copied into it. */
  async holds(slot: string, copied: readonly string[]): Promise<void> {
    const template = this.#templates.get(slot);
    if (template === undefined || (template.copied ?? []).join("\0") === copied.join("\0")) return;
    await this.#keep({ ...template, copied });
  }

  /** A watchdog is about to stop this container. */
  async ending(ending: string): Promise<void> {
    const template = this.all.find(({ inspected }) => inspected.Id === ending);
    if (template !== undefined) await this.#keep({ ...template, ending });
  }

  /** The slot is nobody's any more. */
  async forget(slot: string): Promise<void> {
    this.#forgottenMs.set(slot, monotonicMs());
    this.#templates.delete(slot);
    this.#unwritten.delete(slot);
    this.#seen.delete(slot);
    await this.#afterWrites(() => rm(this.#path(slot), { force: true }));
  }

  /** @returns is it on disk? */
  async #keep(template: Template): Promise<boolean> {
    const { id } = template.slot;
    this.#templates.set(id, template);
    this.#unwritten.add(id);
    const written = await this.#write(`${id}.json`, JSON.stringify(template));
    if (written && this.#templates.get(id) === template) this.#unwritten.delete(id);
    return written;
  }

  /** Writes what could not be written before, and again what somebody has removed. */
  async mend(): Promise<void> {
    const names = new Set(await readdir(this.#directory).catch(() => []));
    for (const [id, template] of this.#templates) {
      const isThere = names.has(`${id}.json`) && !this.#unwritten.has(id);
      if (!isThere && !(await this.#keep(template))) return;
    }
  }

  /** Leaves word that this watchdog ended in good order, and of which slots were filled then. */
  async close(filled: readonly string[]): Promise<void> {
    await this.#write(ENDED, JSON.stringify(filled));
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
    for (const slot of namesIn(mark)) if (!existing.has(slot)) await this.forget(slot);
    await rm(this.#endedMark);
  }

  /** Somebody may have emptied the registry's directory: it is made again, and so is what belongs into it. */
  #write(name: string, text: string): Promise<boolean> {
    return this.#afterWrites(async () => {
      try {
        await makeDirectory(this.#directory, "ours");
        await writeAtomically(join(this.#directory, name), text);
        this.#condition.recovered();
        return true;
      } catch (error) {
        this.#condition.failing((error as Error).message);
        return false;
      }
    });
  }

  /** Heals and looks write and remove the same files: one after another, in the order of what is known. */
  #afterWrites<Done>(act: () => Promise<Done>): Promise<Done> {
    const done = this.#written.then(act);
    this.#written = done.catch(() => {});
    return done;
  }

  get #endedMark(): string {
    return join(this.#directory, ENDED);
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
