// One line per member instance: connections to what a slot held before are never used for what it holds now.

import { authorityOf } from "../../runtime/address.ts";
import type { Member } from "../cluster/members.ts";
import { Line } from "./line.ts";

export class Pools {
  readonly #lines = new Map<string, Line>();
  readonly #connectTimeoutMs: number;

  constructor(connectTimeoutMs: number) {
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  for(member: Member): Line {
    const known = this.#lines.get(member.instance);
    if (known) return known;
    const line = new Line(`http://${authorityOf(member.host, member.port)}`, this.#connectTimeoutMs);
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
