// The versions: of each service what its replicas were made from when all were alike and did their work, the latest of these and the one
// before. It is on disk, beside the templates, so that the next watchdog can still go back.

import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, writeAtomically } from "../../../../services/runtime/atomic-file.ts";
import type { Inspected } from "../containers/document.ts";
import { makingOf } from "../containers/inspected.ts";
import type { Template } from "./templates.ts";

type Version = Pick<Template, "slot" | "inspected" | "parents">;

const KEPT_MAX = 2;
const SERVICES_MAX = 256;
const FILE_END = ".json";

export class Versions {
  readonly #directory: string;
  /** By service, the latest first. */
  readonly #kept = new Map<string, readonly Version[]>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Reads what an earlier watchdog left; a file that cannot be read is none. */
  async open(): Promise<void> {
    const names = await readdir(this.#directory).catch(() => []);
    for (const name of names.filter((each) => each.endsWith(FILE_END)).slice(0, SERVICES_MAX)) {
      const path = join(this.#directory, name);
      try {
        this.#kept.set(name.slice(0, -FILE_END.length), versionsIn(await readFile(path, "utf8")));
      } catch {
        await rm(path, { force: true });
      }
    }
  }

  /** The service's latest from now on. */
  async keep(service: string, { slot, inspected, parents }: Template): Promise<void> {
    const making = makingOf(inspected);
    const before = this.#kept.get(service) ?? [];
    if (before[0] !== undefined && makingOf(before[0].inspected) === making) return;
    if (before.length === 0 && this.#kept.size >= SERVICES_MAX) return;
    const others = before.filter((version) => makingOf(version.inspected) !== making);
    const versions = [{ slot, inspected, parents }, ...others].slice(0, KEPT_MAX);
    await makeDirectory(this.#directory, "ours");
    await writeAtomically(join(this.#directory, service + FILE_END), JSON.stringify(versions));
    this.#kept.set(service, versions);
  }

  get(service: string, making: string): Version | undefined {
    return this.#kept.get(service)?.find(({ inspected }) => makingOf(inspected) === making);
  }

  /** The latest of which not all of these are. @returns its making */
  before(service: string, makings: readonly string[]): string | undefined {
    const known = (this.#kept.get(service) ?? []).map(({ inspected }) => makingOf(inspected));
    return known.find((making) => makings.some((other) => other !== making));
  }
}

/** @throws for what is none */
function versionsIn(text: string): readonly Version[] {
  const versions = JSON.parse(text) as readonly (Version & { readonly inspected: Inspected })[];
  for (const { slot, inspected, parents } of versions) {
    if (typeof slot.id !== "string" || typeof parents !== "object") throw new Error("no version");
    makingOf(inspected);
  }
  return versions.slice(0, KEPT_MAX);
}
