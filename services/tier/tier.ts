// A tier: a listener, the members it forwards to, and a policy. Judge the request, attempt it, or say why not.
// Both tiers are built here and nothing asks which one it is: what differs comes in as options.

import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Registry, RegistryMember } from "../registry/document.ts";
import { followRegistry } from "../registry/follower.ts";
import { type Context, live } from "../runtime/lifecycle.ts";
import type { Policy } from "./cluster/choose.ts";
import { Roster } from "./cluster/cluster.ts";
import { Exchange } from "./downstream/exchange.ts";
import { createListener } from "./downstream/listener.ts";
import {
  admitFailure,
  answerOptions,
  CONNECT_REFUSED,
  refuse,
  refuseUpgrade,
  upgradeFailure,
} from "./downstream/local-replies.ts";
import { type Trust, trustOf, unmapped } from "./downstream/trusted-peers.ts";
import { tunnel } from "./downstream/upgrade.ts";
import { Attempts } from "./forward/retry.ts";
import { tierMetrics } from "./metrics.ts";
import type { TierRequest } from "./node-http/incoming.ts";
import { Pools } from "./node-http/pools.ts";
import { Turns } from "./node-http/turns.ts";
import { type RequestFacts, requestHeaders } from "./rules/headers.ts";
import { judge, type Verdict } from "./rules/request-rules.ts";

export interface TierOptions {
  /** Unless POLICY says otherwise. */
  readonly policy: Policy;
  /** Clients reach this tier directly: what they claim of themselves counts only from a trusted proxy. */
  readonly edge: boolean;
  /** Which of the registry's members this tier forwards to. */
  readonly mine: (member: RegistryMember) => boolean;
}

/** Runs a tier until told to stop, then drains it. @throws StartupFailure */
export async function startTier(options: TierOptions, context: Context): Promise<void> {
  const { settings, log, stop } = context;
  const tier = new Tier(options, context);
  tier.start();
  await followRegistry({ settings, log, stop, onChange: (registry) => tier.adopt(registry) });
  const { server, metrics } = tier;
  const routed = !options.edge;
  await live(
    { server, metrics: metrics.registry, routed, ready: () => tier.ready, close: () => tier.close() },
    context,
  );
}

class Tier {
  readonly #options: TierOptions;
  readonly #context: Context;
  readonly #pools: Pools;
  readonly #roster: Roster;
  readonly #attempts: Attempts;
  readonly #trusted: Trust;
  readonly #turns = new Turns();
  #inFlight = 0;
  readonly server: Server;
  readonly metrics = tierMetrics({
    inFlight: () => this.#inFlight,
    serving: () => this.#roster.snapshot.serving.length,
  });

  constructor(options: TierOptions, context: Context) {
    const { settings, log } = context;
    this.#options = options;
    this.#context = context;
    this.#trusted = trustOf(settings.TRUSTED_PROXIES);
    this.#pools = new Pools(settings.CONNECT_TIMEOUT_MS);
    this.#roster = new Roster({
      log,
      mine: options.mine,
      onEjected: (member) => this.metrics.ejected(member.id),
      onMembers: (members) => this.#pools.keep(members),
    });
    const policy = settings.POLICY ?? options.policy;
    this.#attempts = new Attempts({
      settings,
      log,
      policy,
      roster: this.#roster,
      pools: this.#pools,
      metrics: this.metrics,
    });
    this.server = createListener(settings, { trusted: this.#trusted, turns: this.#turns });
  }

  get ready(): boolean {
    return this.#roster.snapshot.serving.length > 0;
  }

  start(): void {
    this.#roster.start(this.#context.stop);
    const serve = (request: IncomingMessage, response: ServerResponse) => {
      this.#turns.begin(response, () => void this.#serve(request, response));
    };
    this.server.on("request", serve);
    // node:http answers these two itself unless told not to; here they are requests like any other.
    this.server.on("checkContinue", (request, response) => this.server.emit("request", request, response));
    this.server.on("checkExpectation", (request, response) => this.server.emit("request", request, response));
    this.#whenTaken("connect", (_request, socket) => socket.end(CONNECT_REFUSED));
    this.#whenTaken("upgrade", (request, socket, head) => void this.#upgrade(request, socket, head));
  }

  adopt(registry: Registry): void {
    this.#roster.adopt(registry);
    this.#attempts.leaveLost();
    this.metrics.registryAdopted(registry.version);
  }

  async close(): Promise<void> {
    await this.#pools.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#turns.isOver(request.socket)) return;
    const started = performance.now();
    this.#inFlight += 1;
    const status = await this.#answer(request, response);
    this.#inFlight -= 1;
    this.metrics.requestDone(request.method as string, status, (performance.now() - started) / 1000);
  }

  /** @returns the status that the client got, or would have */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<number> {
    const verdict = this.#judge(request);
    if (!verdict.ok) {
      this.#turns.end(request.socket);
      return refuse(response, verdict.refusal);
    }
    if ((request as TierRequest).declined) {
      this.#turns.end(request.socket);
      response.shouldKeepAlive = false;
    }
    if (isLastForward(request)) return answerOptions(response);
    const { to } = verdict;
    const exchange = new Exchange({
      request,
      response,
      to,
      headers: requestHeaders(request.rawHeaders, this.#factsOf(request, to.host)),
      // An HTTP/1.0 client knows no 100 (RFC 9110 section 10.1.1).
      awaitsContinue: request.headers.expect !== undefined && request.httpVersion === "1.1",
      bodyBytesMax: this.#context.settings.BODY_BYTES_MAX,
    });
    exchange.watch();
    await exchange.gather();
    const outcome = await this.#attempts.run(exchange);
    const status = outcome.kind === "answered" ? outcome.status : admitFailure(response, outcome);
    exchange.discardRest();
    return status;
  }

  /** For requests that take their connection out of node:http's hands, and with it the one who hears of its errors. */
  #whenTaken(
    event: "connect" | "upgrade",
    act: (request: IncomingMessage, socket: Socket, head: Buffer) => void,
  ): void {
    this.server.on(event, (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      this.#turns.after(socket, () => act(request, socket as Socket, head));
    });
  }

  async #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const verdict = this.#judge(request);
    if (!verdict.ok) {
      refuseUpgrade(socket, verdict.refusal);
      return;
    }
    const { path, host } = verdict.to;
    const headers = requestHeaders(request.rawHeaders, this.#factsOf(request, host));
    const reached = await this.#attempts.reachOne(request);
    if (reached.kind === "failed") {
      socket.end(upgradeFailure(reached.failure));
      return;
    }
    const { member, connection } = reached;
    await tunnel({ request, socket, head, path, headers, member, connection, limits: this.#context.settings });
  }

  #judge({ method, url, httpVersion, rawHeaders }: IncomingMessage): Verdict {
    const { ID, HEADERS_MAX, BODY_BYTES_MAX } = this.#context.settings;
    const head = { method: method as string, target: url as string, httpVersion, rawHeaders };
    return judge(head, { pseudonym: ID, headersMax: HEADERS_MAX, bodyBytesMax: BODY_BYTES_MAX });
  }

  #factsOf({ method, httpVersion, socket }: IncomingMessage, host: string | undefined): RequestFacts {
    const peer = unmapped(socket.remoteAddress ?? "unknown");
    return {
      claims: this.#claimsOf(peer),
      pseudonym: this.#context.settings.ID,
      peer,
      host,
      method: method as string,
      httpVersion,
      requestId: randomUUID,
      traceparent,
    };
  }

  #claimsOf(peer: string): RequestFacts["claims"] {
    if (!this.#options.edge) return "keep";
    return this.#trusted(peer) ? "append" : "overwrite";
  }
}

/** https://www.w3.org/TR/trace-context/: version, trace id, parent id, and the flag that says "sampled". */
function traceparent(): string {
  return `00-${randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
}

/** Max-Forwards says how many hops an OPTIONS may still go; at 0 it is answered here (RFC 9110 section 7.6.2). */
function isLastForward({ method, headers }: IncomingMessage): boolean {
  return method === "OPTIONS" && Number(headers["max-forwards"] ?? 1) === 0;
}
