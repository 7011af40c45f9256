// The registry's directory and those beside it, such that a watchdog that is not root can write there: they are root's, and the
// watchdog's group may write. What others may not read stays so: the members, which mount the volume too, are the same user in
// another group. What is root's in it the watchdog can neither move nor replace, so files of an earlier watchdog, which was root
// itself, are made its own.

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { chmod, chown, lstat, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asUser, type WatchdogUser } from "./user.ts";

/** Those of the watchdog alone (incidents/incident-files.ts, engines/docker/twin/templates.ts, leader/lease.ts). */
const OURS = ["templates", "incidents", "lease"];
/** The filter's memory (socket/memory.ts). */
const GUARDIANS = "guardian";
const FILES_MAX = 20_000;
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Others read, the group writes, and only who owns something there may move or remove it. */
const SHARED = 0o1775;

/** @throws when the directory cannot be made */
export async function prepareDirectories(registryFile: string, user: WatchdogUser): Promise<void> {
  const directory = dirname(registryFile);
  await mkdir(directory, { recursive: true });
  // A directory of somebody else's is theirs to open to us.
  if (!(await handOver(directory, user.gid, SHARED))) return;
  await mkdir(join(directory, GUARDIANS), { mode: 0o700 }).catch(() => {});
  for (const name of await readdir(directory)) await makeTheirs(join(directory, name), user);
  for (const name of OURS) {
    const path = join(directory, name);
    await mkdir(path, { mode: 0o700 }).catch(() => {});
    if (await handOver(path, user.gid, 0o770)) await handOverFiles(path, user.gid);
  }
}

async function handOverFiles(directory: string, gid: number): Promise<void> {
  for (const name of (await readdir(directory)).slice(0, FILES_MAX)) {
    const path = join(directory, name);
    const found = await ownFile(path);
    if (found === undefined) continue;
    await chown(path, found.uid, gid);
    await chmod(path, (found.mode & 0o777) | 0o060);
  }
}

/** Only an owner may: what is another user's is left as it is. @returns whether it is ours */
async function handOver(path: string, gid: number, mode: number): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (!found?.isDirectory() || found.uid !== process.getuid?.()) return false;
  await chown(path, found.uid, gid);
  await chmod(path, mode);
  return true;
}

async function makeTheirs(path: string, user: WatchdogUser): Promise<void> {
  const found = await ownFile(path);
  if (found === undefined || found.size > FILE_BYTES_MAX) return;
  const bytes = readFileSync(path);
  const copy = `${path}.${process.pid}`;
  asUser(user, () => writeFileSync(copy, bytes, { flag: "wx", mode: found.mode & 0o777 }));
  renameSync(copy, path);
}

/** A link may lead anywhere. */
async function ownFile(path: string) {
  const found = await lstat(path).catch(() => undefined);
  return found?.isFile() && found.nlink === 1 && found.uid === process.getuid?.() ? found : undefined;
}
