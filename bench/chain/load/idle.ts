// Connections that do nothing: each asks once, has its answer, and stays open until it is let go.

import { type Answer, bytesOf, Connection, exchange } from "./connection.ts";
import type { Request } from "./result.ts";

const AT_A_TIME = 64;
const OPEN_MS_MAX = 60_000;

export interface Idle {
  /** How many have their answer and are open still. */
  readonly open: () => number;
  readonly close: () => void;
}

/** Opens `count` connections, a few at a time; what is refused, late or answered wrongly is not among them. */
export async function openIdle(load: {
  readonly port: number;
  readonly count: number;
  readonly request: Request;
  readonly isRight: (answer: Answer) => boolean;
}): Promise<Idle> {
  const bytes = bytesOf(load.request);
  const connections: Connection[] = [];
  const close = () => {
    for (const connection of connections) connection.close();
  };
  const limit = setTimeout(close, OPEN_MS_MAX);
  async function opener(): Promise<void> {
    while (connections.length < load.count) {
      const connection = new Connection(load.port);
      connections.push(connection);
      const answer = await exchange(connection, bytes);
      if (answer === undefined || !load.isRight(answer)) connection.close();
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, opener));
  clearTimeout(limit);
  return { open: () => connections.filter(({ isOpen }) => isOpen).length, close };
}
