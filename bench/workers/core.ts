// A part of a core as if it were a whole one: what runs in it gets so much of a core's time and no more. Needs root, and the control groups of
// Linux, version 1 or 2.

import { existsSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../test/tools/eventually.ts";

const ROOT = "/sys/fs/cgroup";
const PERIOD_US = 20_000;

export class Core {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param share of a core @throws where control groups cannot be made */
  static async make(name: string, share: number): Promise<Core> {
    const quotaUs = Math.round(PERIOD_US * share);
    const isOld = existsSync(join(ROOT, "cpu", "cpu.cfs_quota_us"));
    const core = new Core(join(ROOT, isOld ? "cpu" : "", name));
    await mkdir(core.#folder);
    if (isOld) {
      await core.#write("cpu.cfs_period_us", String(PERIOD_US));
      await core.#write("cpu.cfs_quota_us", String(quotaUs));
    } else await core.#write("cpu.max", `${quotaUs} ${PERIOD_US}`);
    return core;
  }

  /** Moves a process in, with its threads. */
  async take(pid: number): Promise<void> {
    await this.#write("cgroup.procs", String(pid));
  }

  /** Waits until all that was in it has ended. */
  async remove(): Promise<void> {
    const isEmpty = async () => (await readFile(join(this.#folder, "cgroup.procs"), "utf8")) === "";
    await eventually(`nothing is left in ${this.#folder}`, isEmpty);
    await rmdir(this.#folder);
  }

  async #write(file: string, value: string): Promise<void> {
    await writeFile(join(this.#folder, file), value);
  }
}
