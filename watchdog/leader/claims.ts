// The claims of a lease as files NNNNNN.json in a directory that all watchdogs share; the number is the epoch. Each is made by
// exactly one watchdog (O_EXCL), and written by its maker alone. Says nothing about which of them leads (see rules.ts).
// A claim is renewed in place, not by rename: a rename would bring back a removed one, or write over another's of that number.

import { type FileHandle, mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Claim } from "./rules.ts";

const NAME = /^(\d{6,12})\.json$/;
/** All claims are as long, so that one written over another leaves nothing of it. */
const TEXT_LENGTH = 256;
const LOOKS_MAX = 10;

const document = z.object({ id: z.string().min(1), led: z.boolean(), released: z.boolean() });

export class Claims {
  readonly #directory: string;
  readonly #id: string;
  #count = 0;

  /** @param id the holder of the claims that are made here */
  constructor(directory: string, id: string) {
    this.#directory = directory;
    this.#id = id;
  }

  /** @throws when the directory cannot be read */
  async highest(): Promise<Claim | undefined> {
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      const epoch = (await this.#epochs()).at(-1);
      if (epoch === undefined) return undefined;
      // Removed since: then there is a higher one, or none.
      const claim = await this.read(epoch);
      if (claim !== undefined) return claim;
    }
    throw new Error(`the claims in ${this.#directory} come and go`);
  }

  /** A claim that cannot be read is nobody's, but is there. */
  async read(epoch: number): Promise<Claim | undefined> {
    let text: string;
    try {
      text = await readFile(this.#file(epoch), "utf8");
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown";
      return code === "ENOENT" ? undefined : { ...nobodys(epoch), text: code };
    }
    const parsed = document.safeParse(parseJson(text));
    return parsed.success ? { ...parsed.data, epoch, text } : { ...nobodys(epoch), text };
  }

  /** False when the epoch is taken already. */
  async make(epoch: number): Promise<boolean> {
    await mkdir(this.#directory, { recursive: true });
    return this.#write(epoch, "wx", { led: false, released: false });
  }

  /** Writes over a claim that we have made; makes it again when somebody has removed it. */
  async renew(epoch: number, marks: Pick<Claim, "led" | "released">): Promise<void> {
    if (!(await this.#write(epoch, "r+", marks))) await this.make(epoch);
  }

  /** Removes claims that count no more. One that cannot be removed does no harm. */
  async removeBelow(epoch: number): Promise<void> {
    for (const old of await this.#epochs()) {
      if (old < epoch) await rm(this.#file(old), { force: true }).catch(() => {});
    }
  }

  /** False when it is there and must not be, or the other way round. */
  async #write(epoch: number, flags: "wx" | "r+", marks: Pick<Claim, "led" | "released">): Promise<boolean> {
    this.#count += 1;
    const text = JSON.stringify({ id: this.#id, ...marks, count: this.#count, pid: process.pid });
    let handle: FileHandle;
    try {
      handle = await open(this.#file(epoch), flags, 0o644);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === (flags === "wx" ? "EEXIST" : "ENOENT")) return false;
      throw error;
    }
    try {
      await handle.write(text.padEnd(TEXT_LENGTH), 0);
    } catch (error) {
      // On a full disk each try would leave one more empty claim.
      if (flags === "wx") await rm(this.#file(epoch), { force: true }).catch(() => {});
      throw error;
    } finally {
      await handle.close();
    }
    return true;
  }

  async #epochs(): Promise<number[]> {
    const names = await readdir(this.#directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const epochs = names.flatMap((name) => NAME.exec(name)?.[1] ?? []);
    return epochs.map(Number).sort((a, b) => a - b);
  }

  #file(epoch: number): string {
    return join(this.#directory, `${String(epoch).padStart(6, "0")}.json`);
  }
}

function nobodys(epoch: number): Omit<Claim, "text"> {
  return { epoch, id: "", led: false, released: false };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
