// Sends requests to members: one pool of connections, and to a proxy one link, for each member instance, so that connections to what a
// slot held before are never used for what it holds now.

import type { ClientSettings } from "../../http/client/client-connection.ts";
import type { RequestStart, ResponseHandler } from "../../http/client/client-exchange.ts";
import { Pool } from "../../http/client/pool.ts";
import type { Settings } from "../../runtime/config.ts";
import type { Connections } from "../cluster/cluster.ts";
import type { Member } from "../cluster/members.ts";
import type { Exchange } from "../downstream/exchange.ts";
import type { Attempt } from "../forward/send.ts";
import { MemberAttempt, type SentRequest, type Way } from "./member-attempt.ts";
import { MemberLink } from "./member-link.ts";

/** The largest head of a response that is taken from a server. */
const HEAD_BYTES_MAX = 64 * 1024;
const FIELDS_MAX = 1_000;
/** What a tier adds to a head: the tier in front of it takes that too. */
export const HEAD_BYTES_ADDED = 512;
const FIELDS_ADDED = 16;

export class MemberConnections implements Connections {
  readonly #ways = new Map<string, MemberWay>();
  readonly #settings: ClientSettings;
  readonly #pseudonym: string;
  readonly #links: boolean;

  /** @param edge are the members tiers of ours? */
  constructor({ ID, CONNECT_TIMEOUT_MS, IDLE_TIMEOUT_MS, LINK }: Settings, edge: boolean) {
    this.#links = LINK === "yes";
    this.#pseudonym = ID;
    this.#settings = {
      headBytesMax: HEAD_BYTES_MAX + (edge ? HEAD_BYTES_ADDED : 0),
      fieldsMax: FIELDS_MAX + (edge ? FIELDS_ADDED : 0),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
    };
  }

  get linksOpen(): number {
    let open = 0;
    for (const way of this.#ways.values()) if (way.linked) open += 1;
    return open;
  }

  send(exchange: Exchange, attempt: Attempt): void {
    new MemberAttempt({ exchange, attempt, way: this.#wayTo(attempt.member), pseudonym: this.#pseudonym }).begin();
  }

  keep(members: Iterable<Member>): void {
    const all = [...members];
    const instances = new Set(all.map(({ instance }) => instance));
    for (const [instance, way] of this.#ways) {
      if (instances.has(instance)) continue;
      this.#ways.delete(instance);
      way.close();
    }
    // A link is there before the first request wants it.
    for (const member of all) if (member.state !== "down") this.#wayTo(member);
  }

  async close(): Promise<void> {
    for (const way of this.#ways.values()) way.destroy();
  }

  #wayTo({ instance, host, port, link: spoken }: Member): MemberWay {
    const known = this.#ways.get(instance);
    if (known !== undefined) return known;
    const pool = new Pool({ host, port, settings: this.#settings });
    const { connectTimeoutMs } = this.#settings;
    const link =
      this.#links && spoken ? new MemberLink({ host, port, connectTimeoutMs, limits: this.#settings }) : undefined;
    const way = new MemberWay(pool, link);
    this.#ways.set(instance, way);
    return way;
  }
}

class MemberWay implements Way {
  readonly #pool: Pool;
  readonly #link: MemberLink | undefined;

  constructor(pool: Pool, link: MemberLink | undefined) {
    this.#pool = pool;
    this.#link = link;
  }

  get linked(): boolean {
    return this.#link?.usable ?? false;
  }

  request(start: RequestStart, handler: ResponseHandler): SentRequest {
    return this.#link?.request(start, handler) ?? this.#pool.request(start, handler);
  }

  close(): void {
    this.#link?.close();
    this.#pool.close();
  }

  destroy(): void {
    this.#link?.destroy();
    this.#pool.destroy();
  }
}
