// The filter's memory on disk, in a directory that the guardian's user alone may enter: a container that was removed is made anew
// also by a watchdog whose guardian never saw it. What is not the guardian's own file is not believed.

import { chmod, lstat, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ContainerInspectInfo } from "dockerode";
import { writeAtomically } from "../../../services/runtime/atomic-file.ts";
import type { Condition } from "../../../services/runtime/log.ts";
import { composeLabel } from "../../engines/docker/compose-labels.ts";
import { bareName } from "../../engines/docker/container-names.ts";
import { type Kept, keptOf, withKept } from "./rules/kept.ts";
import { subjectOf } from "./rules/subject.ts";

const FILE_BYTES_MAX = 64 * 1024 * 1024;
const IDS_MAX = 5_000;
/** What is worth a write comes in bursts: a first look at every container. */
const WRITE_AFTER_MS = 100;

interface Contents {
  readonly names: Readonly<Record<string, readonly Kept[]>>;
  readonly services: Readonly<Record<string, string>>;
}

export class Memory {
  readonly #directory: string;
  readonly #condition: Pick<Condition, "failing" | "recovered">;
  #kept: ReadonlyMap<string, readonly Kept[]> = new Map();
  readonly #services = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #written: Promise<void> = Promise.resolve();

  /** @param condition told when it cannot be read or written: it goes on without the disk */
  constructor(directory: string, condition: Pick<Condition, "failing" | "recovered">) {
    this.#directory = directory;
    this.#condition = condition;
  }

  /** Reads what is on disk, beside what is known: another guardian of the project may have written it. */
  async read(): Promise<void> {
    try {
      const { names, services } = JSON.parse(await this.#text()) as Contents;
      for (const [id, service] of Object.entries(services)) this.#services.set(id, String(service));
      const known = [...this.#kept.values()].flat();
      this.#kept = new Map();
      for (const one of [...Object.values(names).flat(), ...known]) this.#kept = withKept(this.#kept, one);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") this.#condition.failing((error as Error).message);
    }
  }

  /** The first and the last looks at the containers of a name, the oldest first. */
  looks(name: string): readonly Kept[] {
    return this.#kept.get(bareName(name)) ?? [];
  }

  /** The latest look at each container of a project's service, but for those of this name. */
  siblings(name: string): readonly Kept[] {
    const own = this.looks(name).at(-1)?.Config.Labels;
    if (own === undefined) return [];
    const isSibling = (kept: Kept) =>
      [composeLabel.project, composeLabel.service].every((label) => kept.Config.Labels?.[label] === own[label]);
    return [...this.#kept].flatMap(([other, looks]) => {
      const last = looks.at(-1);
      return other === bareName(name) || last === undefined || !isSibling(last) ? [] : [last];
    });
  }

  /** The latest look at each container whose name is this one but for its number. */
  replicasLike(name: string): readonly Kept[] {
    const stem = stemOf(name);
    if (stem === undefined) return [];
    return [...this.#kept].flatMap(([other, looks]) => (stemOf(other) === stem ? looks.slice(-1) : []));
  }

  /** All that is kept of them, and of this name itself. */
  allReplicasLike(name: string): readonly Kept[] {
    const stem = stemOf(name);
    return stem === undefined ? [] : [...this.#kept].flatMap(([other, looks]) => (stemOf(other) === stem ? looks : []));
  }

  serviceOf(id: string): string | undefined {
    return this.#services.get(id);
  }

  note(inspected: ContainerInspectInfo): void {
    const { id, service } = subjectOf(inspected);
    const kept = withKept(this.#kept, keptOf(inspected));
    const isNew = kept !== this.#kept || this.#services.get(id) !== service;
    this.#kept = kept;
    if (service !== undefined) this.#services.set(id, service);
    for (const oldest of this.#services.keys()) {
      if (this.#services.size <= IDS_MAX) break;
      this.#services.delete(oldest);
    }
    if (isNew) this.#timer ??= setTimeout(() => void this.written(), WRITE_AFTER_MS).unref();
  }

  /** Resolves when what is known is on disk, or cannot be. */
  written(): Promise<void> {
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#written = this.#written.then(() => this.#write());
    }
    return this.#written;
  }

  async #write(): Promise<void> {
    // What another guardian of the project has noted stays.
    await this.read();
    const contents: Contents = {
      names: Object.fromEntries(this.#kept),
      services: Object.fromEntries(this.#services),
    };
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await chmod(this.#directory, 0o700);
      await assertOwn(this.#directory);
      await writeAtomically(this.#path, JSON.stringify(contents), 0o600);
      this.#condition.recovered();
    } catch (error) {
      this.#condition.failing((error as Error).message);
    }
  }

  async #text(): Promise<string> {
    for (const path of [this.#directory, this.#path]) await assertOwn(path);
    return readFile(this.#path, "utf8");
  }

  get #path(): string {
    return join(this.#directory, "containers.json");
  }
}

function stemOf(name: string): string | undefined {
  return /^(.*[-_])\d+$/.exec(bareName(name))?.[1];
}

/** Beside the registry, whose directory the watchdog may write: it could put anything in its place, but nothing that is ours. */
export function memoryDirectory(registryFile: string): string {
  return join(dirname(registryFile), "guardian");
}

async function assertOwn(path: string): Promise<void> {
  const { uid, mode, size } = await lstat(path);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`${path} is not the guardian's own`);
  if (size > FILE_BYTES_MAX) throw new Error(`${path} is larger than ${FILE_BYTES_MAX} bytes`);
}
