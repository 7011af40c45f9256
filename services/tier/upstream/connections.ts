// Sends requests to members: one pool of connections, and to a proxy one link, for each member instance, so that connections to what a
// slot held before are never used for what it holds now.

import type { ClientSettings } from "../../http/client/client-connection.ts";
import type { RequestStart, ResponseHandler } from "../../http/client/client-exchange.ts";
import { Pool } from "../../http/client/pool.ts";
import type { Settings } from "../../runtime/config.ts";
import type { Member } from "../cluster/members.ts";
import type { Exchange } from "../downstream/exchange.ts";
import type { Attempt } from "../forward/send.ts";
import { responseLimits } from "../rules/head-limits.ts";
import { ConnectionCounts, type MemberConnectionsCounted } from "./connection-counts.ts";
import { MemberAttempt, type SentRequest, type Way } from "./member-attempt.ts";
import { MemberLink } from "./member-link.ts";

/**
 * Links to one proxy from each of several workers: each link leads to one of the proxy's workers, whichever has its turn, and with several
 * of them all of its workers have something to do.
 */
const LINKS_OF_WORKERS = 4;

export class MemberConnections {
  readonly #ways = new Map<string, MemberWay>();
  /** By member. */
  readonly #counts = new Map<string, ConnectionCounts>();
  readonly #settings: ClientSettings;
  readonly #pseudonym: string;
  /** To each member that speaks it. */
  readonly #links: number;

  /** @param edge are the members tiers of ours? */
  constructor({ ID, CONNECT_TIMEOUT_MS, IDLE_TIMEOUT_MS, LINK, WORKERS }: Settings, edge: boolean) {
    this.#links = LINK === "no" ? 0 : WORKERS === 1 ? 1 : LINKS_OF_WORKERS;
    this.#pseudonym = ID;
    this.#settings = {
      ...responseLimits(edge),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
    };
  }

  get linksOpen(): number {
    let open = 0;
    for (const way of this.#ways.values()) open += way.linksOpen;
    return open;
  }

  get counted(): MemberConnectionsCounted[] {
    const ways = [...this.#ways.values()];
    return Array.from(this.#counts, ([member, counts]) => {
      const open = ways.reduce((sum, way) => sum + (way.member === member ? way.open : 0), 0);
      return { member, open, counts };
    });
  }

  send(exchange: Exchange, attempt: Attempt): void {
    new MemberAttempt({ exchange, attempt, way: this.#wayTo(attempt.member), pseudonym: this.#pseudonym }).begin();
  }

  /** Lets go of connections to any instance that is not among these; what is in flight on them finishes. */
  keep(members: Iterable<Member>): void {
    const all = [...members];
    const instances = new Set(all.map(({ instance }) => instance));
    for (const [instance, way] of this.#ways) {
      if (instances.has(instance)) continue;
      this.#ways.delete(instance);
      way.close();
    }
    const ids = new Set(all.map(({ id }) => id));
    for (const id of this.#counts.keys()) if (!ids.has(id)) this.#counts.delete(id);
    // A link is there before the first request wants it.
    for (const member of all) if (member.state !== "down") this.#wayTo(member);
  }

  async close(): Promise<void> {
    for (const way of this.#ways.values()) way.destroy();
  }

  #wayTo({ id, instance, host, port, link: spoken }: Member): MemberWay {
    const known = this.#ways.get(instance);
    if (known !== undefined) return known;
    const counts = this.#counts.get(id) ?? new ConnectionCounts();
    this.#counts.set(id, counts);
    const pool = new Pool({ host, port, settings: this.#settings, onOpening: () => counts.opening() });
    const { connectTimeoutMs } = this.#settings;
    const links = Array.from({ length: spoken ? this.#links : 0 }, () => {
      return new MemberLink({ host, port, connectTimeoutMs, limits: this.#settings });
    });
    const way = new MemberWay(id, pool, links);
    this.#ways.set(instance, way);
    return way;
  }
}

class MemberWay implements Way {
  /** Its id. */
  readonly member: string;
  readonly #pool: Pool;
  readonly #links: readonly MemberLink[];
  #turn = 0;

  constructor(member: string, pool: Pool, links: readonly MemberLink[]) {
    this.member = member;
    this.#pool = pool;
    this.#links = links;
  }

  /** Connections that are no links. */
  get open(): number {
    return this.#pool.connections;
  }

  get linksOpen(): number {
    return this.#links.filter(({ usable }) => usable).length;
  }

  /** By the links in turn; over HTTP/1.1 where none takes it. */
  request(start: RequestStart, handler: ResponseHandler): SentRequest {
    const links = this.#links;
    for (let tries = 0; tries < links.length; tries += 1) {
      this.#turn = (this.#turn + 1) % links.length;
      const sent = links[this.#turn]?.request(start, handler);
      if (sent !== undefined) return sent;
    }
    return this.#pool.request(start, handler);
  }

  requestAnew(start: RequestStart, handler: ResponseHandler): SentRequest {
    return this.#pool.requestAnew(start, handler);
  }

  close(): void {
    for (const link of this.#links) link.close();
    this.#pool.close();
  }

  destroy(): void {
    for (const link of this.#links) link.destroy();
    this.#pool.destroy();
  }
}
