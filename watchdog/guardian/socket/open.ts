// Opens the filtered sockets: the watchdog's, and where it is wanted that of the chaos command. Which project is ours, the engine
// says of the container that we run in, and of nothing that the watchdog says.

import { chmod, chown, lstat, mkdir, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { hostname } from "node:os";
import type { ContainerInspectInfo } from "dockerode";
import { ownContainerId } from "../../../services/runtime/container-id.ts";
import { Condition, type Log } from "../../../services/runtime/log.ts";
import { EngineClient } from "./engine-client.ts";
import { SocketFilter } from "./filter.ts";
import { Memory, memoryDirectory } from "./memory.ts";
import { Refusals } from "./refusals.ts";
import { WATCHDOG_CALLS } from "./rules/call.ts";
import { CHAOS_CALLS } from "./rules/chaos-calls.ts";
import { chaosSocket, watchdogSocket } from "./rules/paths.ts";
import { type FilterScope, subjectOf } from "./rules/subject.ts";
import { SWARM_CALLS } from "./rules/swarm-calls.ts";
import { serveSocket } from "./socket-server.ts";

export interface SocketOptions {
  /** The engine's own. */
  readonly enginePath: string;
  /** Where the sockets are made. */
  readonly directory: string;
  readonly registryFile: string;
  /** Of the watchdog; undefined: of whoever we are. */
  readonly gid: number | undefined;
  /** It is a Swarm manager's, and only looked at. */
  readonly swarm?: boolean;
  readonly chaos: boolean;
  /** Where the engine does not know our container. */
  readonly project: string | undefined;
  readonly log: Log;
}

export interface OpenSockets {
  readonly close: () => Promise<void>;
}

/** @throws when one cannot be made */
export async function openSockets(options: SocketOptions): Promise<OpenSockets> {
  const { enginePath, directory, gid, swarm, chaos, log } = options;
  const engine = new EngineClient(enginePath);
  const memory = new Memory(memoryDirectory(options.registryFile), new Condition(log, "filter-memory"));
  await memory.read();
  const shared = { engine, memory, scope: scopeOf(engine, options.project) };
  const refusals = new Refusals(log);
  const serve = (path: string, rows: typeof WATCHDOG_CALLS) =>
    serveSocket(path, {
      filter: new SocketFilter({ ...shared, rows }),
      enginePath,
      onRefused: (call) => refusals.note(call),
    });
  await makeOwn(directory, gid);
  const servers = [await serve(watchdogSocket(directory), swarm ? SWARM_CALLS : WATCHDOG_CALLS)];
  await giveTo(watchdogSocket(directory), gid);
  if (chaos) {
    servers.push(await serve(chaosSocket(directory), CHAOS_CALLS));
    await chmod(chaosSocket(directory), 0o600);
  }
  return {
    close: async () => {
      for (const server of servers) end(server);
      await memory.written();
    },
  };
}

/** Asked of the engine until it is known. */
function scopeOf(engine: EngineClient, project: string | undefined): () => Promise<FilterScope> {
  let known: FilterScope | undefined;
  return async () => {
    if (known !== undefined) return known;
    const own = await ownContainerId();
    const { status, bytes } = await engine.read({ method: "GET", target: `/containers/${own ?? hostname()}/json` });
    const found = status === 200 ? (JSON.parse(bytes.toString()) as ContainerInspectInfo) : undefined;
    // A host name may be the name of any.
    const isOwn = own !== undefined || found?.Config.Hostname === hostname();
    const self = found && isOwn ? subjectOf(found) : undefined;
    known = { project: self?.project ?? project, self: self?.id };
    return known;
  };
}

/** One that is there from before has to be our own: anybody may make one in a directory for all. */
async function makeOwn(directory: string, gid: number | undefined): Promise<void> {
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  const { uid } = await lstat(directory);
  if (uid !== process.getuid?.()) throw new Error(`${directory} is another user's`);
  for (const path of [watchdogSocket(directory), chaosSocket(directory)]) await rm(path, { force: true });
  if (gid === undefined) return;
  await chown(directory, uid, gid);
  await chmod(directory, 0o750);
}

async function giveTo(path: string, gid: number | undefined): Promise<void> {
  if (gid !== undefined) await chown(path, process.getuid?.() ?? 0, gid);
  await chmod(path, 0o660);
}

function end(server: Server): void {
  server.close();
  server.closeAllConnections();
}
