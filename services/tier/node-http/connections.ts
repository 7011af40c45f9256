// Sends requests to members over node:http and undici: one line to each member instance, so that connections to what a slot held before
// are never used for what it holds now, and the choice of the client library that can carry the request.

import { authorityOf } from "../../runtime/address.ts";
import type { Settings } from "../../runtime/config.ts";
import type { Connections } from "../cluster/cluster.ts";
import type { Member } from "../cluster/members.ts";
import type { Attempt } from "../forward/send.ts";
import { attemptOverHttp } from "./attempt-http.ts";
import type { AttemptOptions } from "./attempt-options.ts";
import { attemptOverUndici } from "./attempt-undici.ts";
import { Line } from "./line.ts";
import type { RequestExchange } from "./request-exchange.ts";

export class NodeConnections implements Connections {
  readonly #lines = new Map<string, Line>();
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  send(exchange: RequestExchange, attempt: Attempt): void {
    const { member } = attempt;
    const line = this.#lineTo(member);
    const options = this.#options(attempt, line);
    // undici refuses both: an Expect (undici#197), and a target that does not begin with a slash.
    const refused = exchange.awaitsContinue || exchange.to.path === "*";
    if (refused || line.needsHttp(exchange.body !== undefined)) attemptOverHttp(exchange, options);
    else attemptOverUndici(exchange, options);
  }

  keep(members: Iterable<Member>): void {
    const instances = new Set(Array.from(members, ({ instance }) => instance));
    for (const [instance, { pool }] of this.#lines) {
      if (instances.has(instance)) continue;
      this.#lines.delete(instance);
      void pool.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#lines.values(), ({ pool }) => pool.destroy()));
  }

  #options(attempt: Attempt, line: Line): AttemptOptions {
    const { ID, CONNECT_TIMEOUT_MS, IDLE_TIMEOUT_MS } = this.#settings;
    const { member, number, cookie } = attempt;
    return {
      attempt,
      line,
      hop: {
        pseudonym: ID,
        servedBy: member.role === "server" ? member.id : undefined,
        attempts: number,
        cookie,
      },
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
    };
  }

  #lineTo(member: Member): Line {
    const known = this.#lines.get(member.instance);
    if (known) return known;
    const line = new Line(`http://${authorityOf(member.host, member.port)}`, this.#settings.CONNECT_TIMEOUT_MS);
    this.#lines.set(member.instance, line);
    return line;
  }
}
