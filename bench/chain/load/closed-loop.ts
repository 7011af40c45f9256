// A closed loop of our own: so many connections, each with its next request as soon as it has its answer. For machines without
// wrk, and wherever a figure is to be compared with one of the open loop.

import { setTimeout as delay } from "node:timers/promises";
import { bytesOf, Connection, exchange } from "./connection.ts";
import { type LoadResult, percentile, type Request } from "./result.ts";

/** For connections that break again and again: no flood of new ones. */
const RECONNECT_MS = 20;

export interface ClosedLoop {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly request: Request;
}

export async function closedLoop(load: ClosedLoop): Promise<LoadResult> {
  const counts = { failed: 0, broken: 0, bytes: 0 };
  const latencies: number[] = [];
  const open = new Set<Connection>();
  const bytes = bytesOf(load.request);
  let over = false;

  async function user(): Promise<void> {
    let connection = connect();
    while (!over) {
      if (!connection.isOpen) connection = connect(connection);
      const sentMs = performance.now();
      const answer = await exchange(connection, bytes);
      if (over) return;
      if (answer === undefined) {
        counts.broken += 1;
        await delay(RECONNECT_MS);
      } else {
        latencies.push(performance.now() - sentMs);
        counts.bytes += answer.bytes;
        if (answer.status !== 200) counts.failed += 1;
      }
    }
  }

  function connect(before?: Connection): Connection {
    if (before) open.delete(before);
    const connection = new Connection(load.port);
    open.add(connection);
    return connection;
  }

  const startedMs = performance.now();
  const users = Array.from({ length: load.connections }, user);
  await delay(load.seconds * 1_000);
  over = true;
  const seconds = (performance.now() - startedMs) / 1_000;
  for (const connection of open) connection.close();
  await Promise.all(users);
  latencies.sort((one, other) => one - other);
  const [p50Ms, p99Ms] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  return { ...counts, answers: latencies.length, seconds, p50Ms, p99Ms };
}
