// Takes away what a build or a run has left, unless a system runs: its members are started from dist/, and its watchdog keeps in
// .evenkeel/ what it has to remember.

import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Claims } from "./watchdog/leader/claims.ts";

/** A watchdog that leads renews its claim every half second, and may be late twice. */
const RENEWED_WITHIN_MS = 1_500;

const { REGISTRY_FILE = ".evenkeel/registry.json" } = process.env;
const holder = await holderOf(join(dirname(REGISTRY_FILE), "lease"));
if (holder === undefined) {
  for (const path of ["dist", ".evenkeel"]) rmSync(path, { recursive: true, force: true });
} else {
  process.stderr.write(
    `clean: ${holder} leads a system that runs from here: end it first, by Ctrl-C at its npm start\n`,
  );
  process.exitCode = 1;
}

/** The holder of the lease; undefined when nobody renews it. */
async function holderOf(directory: string): Promise<string | undefined> {
  const claims = new Claims(directory, "clean");
  const before = await claims.highest();
  if (before === undefined || before.released) return undefined;
  await delay(RENEWED_WITHIN_MS);
  const after = await claims.highest();
  return after === undefined || after.released || after.text === before.text ? undefined : after.id || "a watchdog";
}
