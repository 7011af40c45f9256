// A tier: a listener towards its clients, a cluster of members, and the retry loop between them. Both tiers are built here and nothing
// asks which one it is: what differs comes in as options.

import { directAcceptWorks } from "../net/sockets.ts";
import type { Registry } from "../registry/document.ts";
import { followRegistry } from "../registry/follower.ts";
import { descriptorLimit } from "../runtime/descriptors.ts";
import { type Context, live, type Traffic } from "../runtime/lifecycle.ts";
import { listenForTraffic } from "../runtime/ports.ts";
import type { Policy } from "./cluster/choose.ts";
import { Cluster } from "./cluster/cluster.ts";
import type { Select } from "./cluster/selection.ts";
import type { Exchange } from "./downstream/exchange.ts";
import { Listener } from "./downstream/listener.ts";
import { TierDrain } from "./downstream/tier-drain.ts";
import { trustedPeers } from "./downstream/trusted-peers.ts";
import { OpenUpgrades } from "./downstream/upgrades/open-upgrades.ts";
import { AttemptLog } from "./forward/attempt-log.ts";
import { Evacuation } from "./forward/evacuation.ts";
import { Hold } from "./forward/hold.ts";
import { News } from "./forward/news.ts";
import { Retry, type RetryContext } from "./forward/retry.ts";
import { RetryBudget } from "./forward/retry-budget.ts";
import type { Downstream, Send } from "./forward/send.ts";
import { tierMetrics } from "./metrics.ts";
import { HEAD_BYTES_ADDED, MemberConnections } from "./upstream/connections.ts";
import { upgradeSender } from "./upstream/upgrade.ts";

/**
 * A tier in front of another waits so much longer: the one behind it says which response did not come in time, and is not blamed for
 * what a server owes.
 */
const TIER_BEHIND_MS = 500;

/** Files, pipes, and connections to members that are idle. */
const DESCRIPTORS_BESIDE = 128;
const DESCRIPTORS_FIX = "raise the limit of open files (ulimit -n; in Compose: ulimits) or lower CONNECTIONS_MAX";

export interface TierOptions {
  /** Unless POLICY says otherwise. */
  readonly policy: Policy;
  /** Do clients reach this tier directly? Then what they say of themselves counts only from a trusted peer. */
  readonly edge: boolean;
  readonly select: Select;
}

/** Runs a tier until told to stop, then drains it. @throws StartupFailure */
export async function startTier(options: TierOptions, context: Context): Promise<void> {
  const { settings, log, stop } = context;
  const tier = new Tier(options, context, await directAcceptWorks());
  tier.start();
  await followRegistry({ settings, log, stop, onChange: (registry) => tier.adopt(registry) });
  await live(
    {
      traffic: tier.traffic,
      metrics: tier.metrics.registry,
      routed: !options.edge,
      link: !options.edge && settings.LINK === "yes",
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
  readonly #connections: MemberConnections;
  readonly #open = new OpenUpgrades();
  readonly metrics = tierMetrics({
    inFlight: () => this.#listener.inFlight,
    serving: () => this.#cluster.serving,
    upgrades: () => this.#open.size,
    links: () => this.#connections.linksOpen,
    held: () => this.#retry.hold,
  });

  constructor({ policy, edge, select }: TierOptions, context: Context, direct: boolean) {
    const { settings, log } = context;
    const hold = edge ? new Hold(settings.HELD_MAX) : undefined;
    const connections = new MemberConnections(settings, edge);
    this.#connections = connections;
    this.#context = context;
    this.#cluster = new Cluster({
      settings,
      log,
      policy: settings.POLICY ?? policy,
      select,
      connections,
      onEjected: (member) => this.metrics.ejected(member.id),
    });
    this.#retry = {
      cluster: this.#cluster,
      budget: new RetryBudget(settings.MEMBER_REQUESTS_MAX),
      evacuation: new Evacuation(),
      ...(hold && { hold }),
      news: new News(),
      log: new AttemptLog(log),
      metrics: this.metrics,
      brokeMax: settings.BREAKING_RETRIES_MAX,
      deadlineMs: settings.RESPONSE_TIMEOUT_MS + (edge ? TIER_BEHIND_MS : 0),
    };
    const send: Send<Exchange> = (exchange, attempt) => connections.send(exchange, attempt);
    const sendUpgrade = upgradeSender(settings, this.#open);
    this.#listener = new Listener({
      settings,
      admission: { settings, edge, trusted: trustedPeers(settings.TRUSTED_PROXIES) },
      direct,
      takesLinks: !edge && settings.LINK === "yes",
      headBytesAdded: edge ? 0 : HEAD_BYTES_ADDED,
      carryOut: (exchange) => this.#carryOut(exchange, send),
      carryOutUpgrade: (exchange) => this.#carryOut(exchange, sendUpgrade),
      onConnectionRefused: this.metrics.connectionRefused,
      onAnswered: this.metrics.requestDone,
    });
  }

  get traffic(): Traffic {
    const { settings } = this.#context;
    const listener = this.#listener;
    const drain = new TierDrain({ listener, open: this.#open, upgrades: settings.DRAIN_UPGRADES });
    return { listen: () => listenForTraffic(listener.http.server, settings), drain };
  }

  get ready(): boolean {
    return this.#cluster.serving > 0;
  }

  start(): void {
    this.#compareWithDescriptors();
    const { stop } = this.#context;
    this.#cluster.start(stop);
    const { hold, news } = this.#retry;
    const release = () => [hold, news].forEach((waiting) => void waiting?.end());
    stop.addEventListener("abort", release, { once: true });
  }

  adopt(registry: Registry): void {
    this.#cluster.adopt(registry);
    this.#retry.evacuation.evacuate(this.#cluster);
    this.#retry.hold?.adopt(registry);
    this.#retry.news.came();
    this.metrics.registryAdopted(registry.version);
  }

  async close(): Promise<void> {
    await this.#cluster.close();
  }

  /** What a setting promises and the system does not give is said at the start, and not when it is missed. */
  #compareWithDescriptors(): void {
    const { settings, log } = this.#context;
    const limit = descriptorLimit();
    const needed = settings.CONNECTIONS_MAX + settings.MEMBER_REQUESTS_MAX + DESCRIPTORS_BESIDE;
    if (limit !== undefined && limit < needed) log("descriptors-few", { limit, needed, fix: DESCRIPTORS_FIX });
  }

  #carryOut<Each extends Downstream>(exchange: Each, send: Send<Each>): void {
    new Retry(exchange, send, this.#retry).start();
  }
}
