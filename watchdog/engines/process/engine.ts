// The engine seam on plain processes, without Docker: for a laptop, and for tests. They are the guardian's children where there is one,
// and live on when the watchdog dies; else this process's own, and end with it.

import type { Settings } from "../../../services/runtime/config.ts";
import type { Log } from "../../../services/runtime/log.ts";
import { assertFree } from "../../../services/runtime/ports.ts";
import { writeOut } from "../../../services/runtime/stdout.ts";
import { topology } from "../../desired/topology.ts";
import { GuardedProcesses } from "../../guardian/members/guarded-processes.ts";
import { OwnProcesses } from "../../guardian/members/own-processes.ts";
import type { Engine } from "../engine.ts";
import { Children } from "./children.ts";
import { ProcessDiscovery } from "./discovery.ts";
import { OwnProgram } from "./own-program.ts";
import { ProcessRunner } from "./runner.ts";

interface ProcessOptions {
  /** Started for each member; the program that runs here, unless said otherwise. */
  readonly program?: string;
  /** Takes what a member writes on stdout: whole lines with their ends, as many as came at once. */
  readonly passOn?: (lines: string) => void;
  /** Told what a program of the user's writes. */
  readonly log?: Log;
}

/** @throws StartupFailure when the balancer's port is taken, before anything is started */
export async function openProcessEngine(settings: Settings, options: ProcessOptions = {}): Promise<Engine> {
  const { program = process.argv[1] as string, passOn = writeOut, log = () => {} } = options;
  const { GUARDED, HOST, BALANCER_PORT, SERVERS: count, SERVER_COMMAND, SERVER_HEALTH: health } = settings;
  const own = SERVER_COMMAND === undefined ? undefined : new OwnProgram(settings, SERVER_COMMAND);
  const slots = topology({ count, ...(own && { own: health === undefined ? {} : { health } }) });
  const processes = GUARDED === undefined ? new OwnProcesses() : new GuardedProcesses();
  const children = new Children({ processes, program, own, passOn, log });
  const adopted = await children.adopt(slots);
  if (!adopted) await assertFree(HOST, { candidates: [BALANCER_PORT], setting: "BALANCER_PORT" });
  return {
    discovery: new ProcessDiscovery({ slots, children, own, host: HOST, adopted }),
    runner: new ProcessRunner(children, settings),
  };
}
