// A tier: a listener towards its clients, a cluster of members, and the retry loop between them. Both tiers are built here and nothing
// asks which one it is: what differs comes in as options.

import type { Registry, RegistryMember } from "../registry/document.ts";
import { followRegistry } from "../registry/follower.ts";
import { type Context, live } from "../runtime/lifecycle.ts";
import type { Policy } from "./cluster/choose.ts";
import { Cluster } from "./cluster/cluster.ts";
import { OpenUpgrades } from "./downstream/open-upgrades.ts";
import { trustedPeers } from "./downstream/trusted-peers.ts";
import { AttemptLog } from "./forward/attempt-log.ts";
import { Evacuation } from "./forward/evacuation.ts";
import { Retry, type RetryContext } from "./forward/retry.ts";
import { RetryBudget } from "./forward/retry-budget.ts";
import type { Downstream, Send } from "./forward/send.ts";
import { tierMetrics } from "./metrics.ts";
import { NodeConnections } from "./node-http/connections.ts";
import { Listener } from "./node-http/listener.ts";
import type { RequestExchange } from "./node-http/request-exchange.ts";
import { upgradeSender } from "./node-http/upgrade.ts";

export interface TierOptions {
  /** Unless POLICY says otherwise. */
  readonly policy: Policy;
  /** Do clients reach this tier directly? Then what they say of themselves counts only from a trusted peer. */
  readonly edge: boolean;
  /** Which of the registry's members this tier forwards to. */
  readonly includes: (member: RegistryMember) => boolean;
}

/** Runs a tier until told to stop, then drains it. @throws StartupFailure */
export async function startTier(options: TierOptions, context: Context): Promise<void> {
  const { settings, log, stop } = context;
  const tier = new Tier(options, context);
  tier.start();
  await followRegistry({ settings, log, stop, onChange: (registry) => tier.adopt(registry) });
  const { server, upgrades, metrics } = tier;
  await live(
    {
      server,
      upgraded: upgrades,
      metrics: metrics.registry,
      routed: !options.edge,
      ready: () => tier.ready,
      close: () => tier.close(),
    },
    context,
  );
}

class Tier {
  readonly #context: Context;
  readonly #cluster: Cluster;
  readonly #retry: RetryContext;
  readonly #listener: Listener;
  readonly upgrades = new OpenUpgrades();
  readonly metrics = tierMetrics({
    inFlight: () => this.#listener.inFlight,
    serving: () => this.#cluster.serving,
    upgrades: () => this.upgrades.size,
  });

  constructor({ policy, edge, includes }: TierOptions, context: Context) {
    const { settings, log } = context;
    const connections = new NodeConnections(settings);
    this.#context = context;
    this.#cluster = new Cluster({
      settings,
      log,
      policy: settings.POLICY ?? policy,
      includes,
      connections,
      onEjected: (member) => this.metrics.ejected(member.id),
    });
    this.#retry = {
      cluster: this.#cluster,
      budget: new RetryBudget(settings.MEMBER_REQUESTS_MAX),
      evacuation: new Evacuation(),
      log: new AttemptLog(log),
      metrics: this.metrics,
      deadlineMs: settings.RESPONSE_TIMEOUT_MS,
    };
    const send: Send<RequestExchange> = (exchange, attempt) => connections.send(exchange, attempt);
    const sendUpgrade = upgradeSender(settings, this.upgrades);
    this.#listener = new Listener({
      settings,
      admission: { settings, edge, trusted: trustedPeers(settings.TRUSTED_PROXIES) },
      carryOut: (exchange) => this.#carryOut(exchange, send),
      carryOutUpgrade: (exchange) => this.#carryOut(exchange, sendUpgrade),
      onAnswered: this.metrics.requestDone,
    });
  }

  get server() {
    return this.#listener.server;
  }

  get ready(): boolean {
    return this.#cluster.serving > 0;
  }

  start(): void {
    this.#cluster.start(this.#context.stop);
    this.#listener.start();
  }

  adopt(registry: Registry): void {
    this.#cluster.adopt(registry);
    this.#retry.evacuation.evacuate(this.#cluster);
    this.metrics.registryAdopted(registry.version);
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  #carryOut<Exchange extends Downstream>(exchange: Exchange, send: Send<Exchange>): void {
    new Retry(exchange, send, this.#retry).start();
  }
}
