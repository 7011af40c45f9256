// Faults for members that are plain processes, by the process id that the watchdog shows. Pausing and removing do not exist
// there; a stopped process is healed like a dead one, so nothing has to be undone.

import type { Fault, FaultKind, Faults } from "./faults.ts";

const SIGNALS: Partial<Record<FaultKind, NodeJS.Signals>> = { kill: "SIGKILL", stop: "SIGTERM", hang: "SIGSTOP" };

/** @param pidOf the process that fills a slot now */
export function processFaults(pidOf: (slot: string) => number | null | undefined): Faults {
  return {
    kinds: Object.keys(SIGNALS) as FaultKind[],
    engine: "processes",
    prepare: async (kind, slot): Promise<Fault> => {
      const pid = pidOf(slot);
      const signal = SIGNALS[kind];
      if (!pid || signal === undefined) throw new Error(`the watchdog shows no process of ${slot}`);
      return { inflict: async () => void process.kill(pid, signal) };
    },
  };
}
