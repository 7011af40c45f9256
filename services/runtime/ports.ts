// Finds the port a member listens on: a fixed one, or the first free one of a range, starting at the member's own number.
// The look and the listen are one step: a port is free when listening on it succeeds, so nobody can take it in between.

import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { Settings } from "./config.ts";
import { exitCode, StartupFailure } from "./exit.ts";
import type { PortRange } from "./setting-kinds.ts";

/** The ports to try, in order, and the setting to name when none of them is free. */
export interface PortPlan {
  readonly candidates: readonly number[];
  readonly setting: keyof Settings;
}

const ROLE_RANGES: Partial<Record<Settings["ROLE"], PortRange>> = {
  proxy: { first: 8081, last: 8180 },
  server: { first: 9001, last: 9100 },
};

/** Where a member takes user traffic. A balancer and a watchdog have one well-known port; the rest have a range. */
export function trafficPorts(settings: Settings): PortPlan {
  if (settings.PORT !== undefined) return { candidates: [settings.PORT], setting: "PORT" };
  if (settings.ROLE === "balancer") return { candidates: [settings.BALANCER_PORT], setting: "BALANCER_PORT" };
  if (settings.ROLE === "watchdog") return { candidates: [settings.WATCHDOG_PORT], setting: "WATCHDOG_PORT" };
  const range = settings.PORT_RANGE ?? ROLE_RANGES[settings.ROLE] ?? { first: 9001, last: 9100 };
  return { candidates: ownRound(range, settings), setting: "PORT_RANGE" };
}

/** Has a server listen where its role takes traffic. */
export function listenForTraffic(server: Server, settings: Settings): Promise<number> {
  return listen(server, settings.HOST, trafficPorts(settings));
}

/** Where a member answers /healthz, /readyz and /metrics. */
export function adminPorts(settings: Settings): PortPlan {
  if (settings.ADMIN_PORT !== undefined) return { candidates: [settings.ADMIN_PORT], setting: "ADMIN_PORT" };
  return { candidates: ownRound(settings.ADMIN_PORT_RANGE, settings), setting: "ADMIN_PORT_RANGE" };
}

/**
 * Connections that the system keeps until they are accepted; Linux bounds it by net.core.somaxconn, which is the same. Past it a client's
 * SYN is dropped and sent again after a second: with Node's 511 two thousand new connections a second make everybody wait that long.
 */
const BACKLOG = 4_096;

/** Listens on the first free candidate and returns it. @throws StartupFailure when all are taken, or the host is not ours. */
export async function listen(server: Server, host: string, { candidates, setting }: PortPlan): Promise<number> {
  for (const port of candidates) {
    try {
      server.listen({ host, port, backlog: BACKLOG });
      await once(server, "listening");
      return (server.address() as { port: number }).port;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EADDRINUSE") continue;
      throw cannotListen(code ?? String(error), host, port, setting);
    }
  }
  throw allTaken(host, candidates, setting);
}

/** Makes sure that a child will be able to take a fixed port. @throws StartupFailure when somebody else has it */
export async function assertFree(host: string, plan: PortPlan): Promise<void> {
  await findFree(host, plan);
}

/** The first port that a child would be able to take now. @throws StartupFailure when somebody else has all of them */
export async function findFree(host: string, plan: PortPlan): Promise<number> {
  const server = createServer();
  const port = await listen(server, host, plan);
  server.close();
  await once(server, "close");
  return port;
}

/** The member's round, without the ports that a setting gives to somebody else: those would wait for them for ever. */
function ownRound(range: PortRange, { ID, BALANCER_PORT, WATCHDOG_PORT }: Settings): number[] {
  const round = goRound(range, ownNumber(ID));
  const others = round.filter((port) => port !== BALANCER_PORT && port !== WATCHDOG_PORT);
  // Who gives a member no other port means that one.
  return others.length > 0 ? others : round;
}

/** Every port of the range once, beginning at the number-th (server-4 of 9001-9100 begins at 9004). */
export function goRound({ first, last }: PortRange, number: number): number[] {
  const size = last - first + 1;
  return Array.from({ length: size }, (_, step) => first + ((number - 1 + step) % size));
}

/** The number a name ends with, 1 when it has none. */
export function ownNumber(id: string): number {
  return Math.max(1, Number(/(\d{1,9})$/.exec(id)?.[1] ?? 1));
}

function allTaken(host: string, candidates: readonly number[], setting: string): StartupFailure {
  const fixed = !setting.endsWith("_RANGE");
  const which = fixed ? `port ${candidates[0]}` : `every port of ${Math.min(...candidates)}-${Math.max(...candidates)}`;
  const fix = fixed ? "to a free port, or stop what listens there" : "to a range with a free port";
  const code = fixed ? exitCode.portTaken : exitCode.portsExhausted;
  return new StartupFailure(code, `${which} on ${host} is in use: set ${setting} ${fix}`);
}

function cannotListen(code: string, host: string, port: number, setting: string): StartupFailure {
  const fix =
    code === "EADDRNOTAVAIL" ? "set HOST to an address of this machine" : `set HOST or ${setting} to one we may use`;
  return new StartupFailure(exitCode.portTaken, `cannot listen on ${host} port ${port} (${code}): ${fix}`);
}
