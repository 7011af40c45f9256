// Keeps the registry's file true to what each round observed. Writes only when a member changed, or the file is gone; the
// version only grows. A failed write is the round's failure.

import { access, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { parseRegistry, type Registry, writeRegistry } from "../../services/registry/document.ts";
import { makeDirectory } from "../../services/runtime/atomic-file.ts";
import type { Log } from "../../services/runtime/log.ts";
import { membersOf, type RegistryInputs, sameMembers } from "../rules/registry-view.ts";

export class RegistryWriter {
  readonly #file: string;
  readonly #log: Log;
  #registry: Registry = { schema: 1, version: 0, writtenAt: new Date(0).toISOString(), members: [] };

  constructor(file: string, log: Log) {
    this.#file = file;
    this.#log = log;
  }

  /** The latest document; version 0 while there is none. */
  get registry(): Registry {
    return this.#registry;
  }

  /**
   * Goes on from the document that is there. A document that cannot be read is renamed, so that nothing of it is lost.
   * @param follows is there a document to be expected, because an earlier watchdog wrote one?
   */
  async open(follows: boolean): Promise<void> {
    await makeDirectory(dirname(this.#file));
    const text = await readFile(this.#file, "utf8").catch(() => undefined);
    const parsed = text === undefined ? undefined : parseRegistry(text);
    if (parsed?.ok) {
      this.#registry = parsed.registry;
      return;
    }
    // Followers may hold a version that we no longer know. Seconds since 1970 are above any count of changes.
    if (follows || parsed !== undefined) this.#registry = { ...this.#registry, version: Math.floor(Date.now() / 1000) };
    if (parsed !== undefined) await this.#renameBroken(parsed.reason);
  }

  async publish(inputs: RegistryInputs): Promise<void> {
    const members = membersOf(inputs, this.#registry.members);
    if (members.length === 0) return;
    // A tier that starts now reads the file, so one that was deleted is written again.
    if (sameMembers(members, this.#registry.members) && (await isThere(this.#file))) return;
    const next: Registry = {
      schema: 1,
      version: this.#registry.version + 1,
      writtenAt: new Date().toISOString(),
      members,
    };
    await writeRegistry(this.#file, next);
    this.#logChanges(next);
    this.#registry = next;
  }

  async #renameBroken(reason: string): Promise<void> {
    const previous = `${this.#file}.broken-${Date.now()}`;
    await rename(this.#file, previous);
    this.#log("registry-put-aside", { file: this.#file, reason, previous });
  }

  #logChanges({ version, members }: Registry): void {
    const before = new Map(this.#registry.members.map(({ id, state }) => [id, state]));
    const changed = members.filter(({ id, state }) => before.get(id) !== state);
    const now = new Set(members.map(({ id }) => id));
    const gone = [...before.keys()].filter((id) => !now.has(id));
    const changes = changed.map(({ id, state }) => `${id}: ${before.get(id) ?? "absent"} > ${state}`);
    this.#log("registry-published", { version, changes: [...changes, ...gone.map((id) => `${id}: out`)] });
  }
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
