// Files that other processes read while we write them, and the directory that holds them. A reader sees the old file or the new
// one, never half of one, also after a crash of the host.

import { access, chmod, constants, type FileHandle, mkdir, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { exitCode, StartupFailure } from "./exit.ts";

/**
 * Makes the directory when it is not there.
 * @param whose members mount the volume too: what is "ours" they cannot read, such as logs of others and settings with secrets
 * @throws StartupFailure when it cannot be made or written
 */
export async function makeDirectory(directory: string, whose: "everybody's" | "ours" = "everybody's"): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    // One that the guardian made for us is closed to others already, and not ours to change.
    if (whose === "ours" && (await stat(directory)).uid === process.getuid?.()) await chmod(directory, 0o700);
    await access(directory, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fix = "set REGISTRY_FILE to a file in a directory that we may write";
    throw new StartupFailure(exitCode.registryDirectory, `cannot write to ${directory} (${code}): ${fix}`);
  }
}

/**
 * Writes beside the file, flushes, renames over the file (rename(2) is atomic), then flushes the directory. Mount the directory,
 * never the single file: a mounted file would keep its old inode (moby#15793).
 */
export async function writeAtomically(file: string, text: string, mode = 0o644): Promise<void> {
  const temporary = `${file}.tmp`;
  await withHandle(temporary, { flags: "w", mode }, async (handle) => {
    await handle.writeFile(text);
    await handle.sync();
  });
  await rename(temporary, file);
  await withHandle(dirname(file), { flags: "r", mode }, (directory) => directory.sync());
}

interface Opening {
  readonly flags: string;
  readonly mode: number;
}

async function withHandle(
  path: string,
  { flags, mode }: Opening,
  use: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const handle = await open(path, flags, mode);
  try {
    await use(handle);
  } finally {
    await handle.close();
  }
}
