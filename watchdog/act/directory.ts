// The directory that holds what the watchdog keeps: the registry, its memory, the templates. Made when first needed, or refused
// in one line.

import { access, chmod, constants, mkdir } from "node:fs/promises";
import { exitCode, StartupFailure } from "../../services/runtime/exit.ts";

/** @throws StartupFailure when it cannot be made or written */
export async function makeDirectory(directory: string, whose: "everybody's" | "ours" = "everybody's"): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    // Members mount the volume too, and what is in here is none of their business: logs of others, and settings with secrets.
    if (whose === "ours") await chmod(directory, 0o700);
    await access(directory, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fix = "set REGISTRY_FILE to a file in a directory that we may write";
    throw new StartupFailure(exitCode.registryDirectory, `cannot write to ${directory} (${code}): ${fix}`);
  }
}
