// The engine seam on plain child processes, without Docker: for a laptop, and for tests.

import type { Settings } from "../../../services/runtime/config.ts";
import { assertFree } from "../../../services/runtime/ports.ts";
import { writeOut } from "../../../services/runtime/stdout.ts";
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
  await assertFree(settings.HOST, { candidates: [settings.BALANCER_PORT], setting: "BALANCER_PORT" });
  const { program = process.argv[1] as string, passOn = writeOut } = options;
  const children = new Children({ program, passOn });
  return {
    discovery: new ProcessDiscovery(children, settings.HOST),
    runner: new ProcessRunner(children, settings),
  };
}
