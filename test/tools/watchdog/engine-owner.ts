// A watchdog's stand-in, to be killed outright: opens the process engine and starts one member, whose lines the engine
// passes on to our stdout. Settings come from the environment, the slot's id from the command line.

import { fileURLToPath } from "node:url";
import { readSettings } from "../../../services/runtime/config.ts";
import { topology } from "../../../watchdog/desired/topology.ts";
import { openProcessEngine } from "../../../watchdog/engines/process/engine.ts";

const MAIN = fileURLToPath(new URL("../../../services/main.ts", import.meta.url));
const read = readSettings();
if (!read.ok) throw new Error(read.faults.join("\n"));
const slot = topology().find(({ id }) => id === process.argv[2]);
if (slot === undefined) throw new Error(`no slot ${process.argv[2]}`);
const { runner } = await openProcessEngine(read.settings, { program: MAIN });
await runner.start(await runner.create(slot, { environment: {} }));
