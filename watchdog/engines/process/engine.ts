// The engine seam on plain processes, without Docker: for a laptop, and for tests. They are the guardian's children where there is one,
// and live on when the watchdog dies; else this process's own, and end with it.

import type { Settings } from "../../../services/runtime/config.ts";
import { assertFree } from "../../../services/runtime/ports.ts";
import { writeOut } from "../../../services/runtime/stdout.ts";
import { topology } from "../../desired/topology.ts";
import { GuardedProcesses } from "../../guardian/members/guarded-processes.ts";
import { OwnProcesses } from "../../guardian/members/own-processes.ts";
import type { Engine } from "../engine.ts";
import { Children } from "./children.ts";
import { ProcessDiscovery } from "./discovery.ts";
import { ProcessRunner } from "./runner.ts";

interface ProcessOptions {
  /** Started for each member; the program that runs here, unless said otherwise. */
  readonly program?: string;
  /** Takes what a member writes on stdout: whole lines with their ends, as many as came at once. */
  readonly passOn?: (lines: string) => void;
}

/** @throws StartupFailure when the balancer's port is taken, before anything is started */
export async function openProcessEngine(settings: Settings, options: ProcessOptions = {}): Promise<Engine> {
  const { program = process.argv[1] as string, passOn = writeOut } = options;
  const processes = settings.GUARDED === undefined ? new OwnProcesses() : new GuardedProcesses();
  const children = new Children({ processes, program, passOn });
  const adopted = await children.adopt(topology());
  if (!adopted) await assertFree(settings.HOST, { candidates: [settings.BALANCER_PORT], setting: "BALANCER_PORT" });
  return {
    discovery: new ProcessDiscovery({ children, host: settings.HOST, adopted }),
    runner: new ProcessRunner(children, settings),
  };
}
