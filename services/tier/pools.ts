// One line per member instance: connections to what a slot held before are never used for what it holds now.

import { Pool } from "undici";
import { Line } from "./line.ts";
import type { Member } from "./members.ts";

/** Below the 5 s after which a plain Node server closes an idle connection, so that the pool is the side that closes. */
const IDLE_MS = 4_000;
const IDLE_MS_MAX = 55_000;

export class Pools {
  readonly #lines = new Map<string, Line>();
  readonly #connectTimeoutMs: number;

  constructor(connectTimeoutMs: number) {
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  for(member: Member): Line {
    const known = this.#lines.get(member.instance);
    if (known) return known;
    const host = member.host.includes(":") ? `[${member.host}]` : member.host;
    const pool = new Pool(`http://${host}:${member.port}`, {
      connect: { timeout: this.#connectTimeoutMs },
      // places.ts bounds the requests, and with them the connections; undici's own queue has no limit in time.
      connections: null,
      pipelining: 1,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS_MAX,
    });
    const line = new Line(pool);
    this.#lines.set(member.instance, line);
    return line;
  }

  /** Lets go of every line whose instance is gone; requests in flight on it finish. */
  keep(members: Iterable<Member>): void {
    const instances = new Set(Array.from(members, ({ instance }) => instance));
    for (const [instance, { pool }] of this.#lines) {
      if (instances.has(instance)) continue;
      this.#lines.delete(instance);
      void pool.close();
    }
  }

  async destroy(): Promise<void> {
    await Promise.all(Array.from(this.#lines.values(), ({ pool }) => pool.destroy()));
  }
}
