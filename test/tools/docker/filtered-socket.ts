// The guardian's filter before the real engine's socket, in this process: what goes through it is what a watchdog's does. What it
// refuses is kept, and where nothing may be refused that is a failure.

import assert from "node:assert/strict";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { openSockets } from "../../../watchdog/guardian/socket/open.ts";
import { chaosSocket, watchdogSocket } from "../../../watchdog/guardian/socket/rules/paths.ts";
import { temporaryDirectory } from "../registry.ts";
import { inReverse, type Scope } from "../scope.ts";
import { PROJECT } from "./containers.ts";

export interface FilteredSocketStage {
  /** The watchdog's. */
  readonly path: string;
  readonly chaosPath: string;
  /** Such as `POST /containers/create: ...`; empties by whoever expects them. */
  readonly refused: string[];
}

export interface FilterPlace {
  /** Where it has its memory; default: one of its own. */
  readonly directory?: string;
  readonly project?: string;
  readonly enginePath?: string;
  readonly swarm?: boolean;
}

/** When the scope is over, nothing may be left in `refused`. */
export async function filteredSocket(outer: Scope, place: FilterPlace = {}): Promise<FilteredSocketStage> {
  const scope = inReverse(outer);
  const own = await temporaryDirectory(scope);
  const { directory = own, project = PROJECT, enginePath = "/var/run/docker.sock", swarm = false } = place;
  const refused: string[] = [];
  const { close } = await openSockets({
    ...{ enginePath, project, gid: undefined, chaos: true, swarm },
    directory: join(own, "sockets"),
    registryFile: join(directory, "registry.json"),
    log: (event, facts) => void refused.push(`${event}: ${JSON.stringify(facts)}`),
  });
  scope.after(async () => {
    await close();
    assert.deepEqual(refused, []);
  });
  return { path: watchdogSocket(join(own, "sockets")), chaosPath: chaosSocket(join(own, "sockets")), refused };
}

export interface SocketQuestion {
  readonly method: string;
  readonly target: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request as it is written here, on a connection of its own. */
export function askSocket(
  socketPath: string,
  { method, target, body, headers = {} }: SocketQuestion,
): Promise<{ readonly status: number; readonly body: string }> {
  const given = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
  const type = given === undefined ? {} : { "Content-Type": "application/json" };
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path: target, agent: false, headers: { ...type, ...headers } });
    call.on("error", reject);
    call.on("response", (answer) => {
      text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, body: said }), reject);
    });
    call.end(given);
  });
}
