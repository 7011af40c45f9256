// Keeps the registry's file true to what each round observed, and tells of each new document. Writes only when a member changed, or the
// file is gone or somebody else's; the version only grows. A failed write is the round's failure.

import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  isNewerVersion,
  nextVersion,
  parseRegistry,
  type Registry,
  writeRegistry,
} from "../../services/registry/document.ts";
import { RegistryFile } from "../../services/registry/registry-file.ts";
import { makeDirectory } from "../../services/runtime/atomic-file.ts";
import { nowMs } from "../../services/runtime/clock.ts";
import type { Log } from "../../services/runtime/log.ts";
import { registryPools } from "../desired/pools.ts";
import { membersOf, type RegistryInputs, sameMembers } from "../rules/registry-view.ts";

/**
 * How far ahead of ours a follower's version is believed to be: a watchdog that lost its file begins at the seconds since 1970, and no
 * number that somebody made up may lead us round the circle (document.ts).
 */
const OVERTAKEN_BY_MAX = 17_179_869_184;

export class RegistryWriter {
  readonly #file: string;
  readonly #source: RegistryFile;
  readonly #log: Log;
  readonly #onPublished: (registry: Registry) => void;
  /** A version that a follower holds and we have never heard of. */
  #overtaken: number | undefined;
  /** What we have written, and the mark of it on the disk, as far as that was looked at. */
  #written: { readonly text: string; mark?: string } | undefined;
  #registry: Registry = { schema: 1, version: 0, writtenAt: new Date(0).toISOString(), members: [] };

  constructor(file: string, log: Log, onPublished: (registry: Registry) => void = () => {}) {
    this.#onPublished = onPublished;
    this.#file = file;
    this.#source = new RegistryFile(file);
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
    const reading = await this.#source.read();
    const parsed = reading.kind === "read" ? parseRegistry(reading.text) : undefined;
    if (reading.kind === "read" && parsed?.ok) {
      this.#registry = parsed.registry;
      this.#written = { text: reading.text, mark: reading.mark };
      return;
    }
    const isThere = reading.kind !== "absent";
    // Followers may hold a version that we no longer know. Seconds since 1970 are above any count of changes.
    if (follows || isThere) this.#registry = { ...this.#registry, version: Math.floor(nowMs() / 1000) };
    if (reading.kind === "unreadable") await this.#renameBroken(reading.reason);
    else if (parsed !== undefined && !parsed.ok) await this.#renameBroken(parsed.reason);
  }

  /**
   * A follower holds this version, perhaps a former watchdog's, whose file is gone: the next document is ahead of it.
   * @returns whether it is one that we are behind
   */
  heard(version: number): boolean {
    const { version: ours } = this.#registry;
    if (!isNewerVersion(version, ours) || version - ours > OVERTAKEN_BY_MAX) return false;
    this.#overtaken = this.#overtaken === undefined ? version : laterVersion(version, this.#overtaken);
    return true;
  }

  async publish(inputs: RegistryInputs): Promise<void> {
    const members = membersOf(inputs, this.#registry.members);
    if (members.length === 0) return;
    // A tier that starts now reads the file, so one that was deleted is written again; and every tier follows what stands there,
    // so that one which somebody else wrote is overtaken.
    const { asWritten, version } = await this.#lookAtFile();
    const pools = registryPools(inputs.slotStates.map(({ slot }) => slot));
    const before = this.#registry;
    const stands = asWritten && this.#overtaken === undefined;
    if (sameMembers(members, before.members) && isDeepStrictEqual(pools, before.pools) && stands) return;
    const known = laterVersion(version ?? before.version, this.#overtaken ?? before.version);
    const next: Registry = {
      schema: 1,
      version: nextVersion(laterVersion(known, before.version)),
      writtenAt: new Date().toISOString(),
      members,
      ...(pools && { pools }),
    };
    this.#written = { text: await writeRegistry(this.#file, next) };
    this.#overtaken = undefined;
    this.#logChanges(next);
    this.#registry = next;
    this.#onPublished(next);
  }

  /** Is it what we wrote? `version`: of what others wrote in its place. */
  async #lookAtFile(): Promise<{ readonly asWritten: boolean; readonly version?: number }> {
    const ours = this.#written;
    const reading = await this.#source.read(ours?.mark);
    if (reading.kind === "same") return { asWritten: true };
    if (reading.kind !== "read") return { asWritten: false };
    if (ours !== undefined && reading.text === ours.text) {
      ours.mark = reading.mark;
      return { asWritten: true };
    }
    const parsed = parseRegistry(reading.text);
    return { asWritten: false, ...(parsed.ok && { version: parsed.registry.version }) };
  }

  async #renameBroken(reason: string): Promise<void> {
    const previous = `${this.#file}.broken-${nowMs()}`;
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

function laterVersion(one: number, other: number): number {
  return isNewerVersion(one, other) ? one : other;
}
