// Injects faults into members that are plain processes, by the process id that the watchdog shows. Pausing and removing do not
// exist there; a stopped process is healed like a dead one, so nothing has to be reverted.

import type { FaultInjector, FaultKind, InjectedFault } from "./injected-fault.ts";

const SIGNALS: Partial<Record<FaultKind, NodeJS.Signals>> = { kill: "SIGKILL", stop: "SIGTERM", hang: "SIGSTOP" };

/** @param pidOf the process that fills a slot now */
export function processInjector(pidOf: (slot: string) => number | null | undefined): FaultInjector {
  return {
    kinds: Object.keys(SIGNALS) as FaultKind[],
    engine: "processes",
    prepare: async (kind, slot): Promise<InjectedFault> => {
      const pid = pidOf(slot);
      const signal = SIGNALS[kind];
      if (!pid || signal === undefined) throw new Error(`the watchdog shows no process of ${slot}`);
      return { inject: async () => void process.kill(pid, signal) };
    },
  };
}
