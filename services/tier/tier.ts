// A tier: a listener towards its clients, a cluster of members, and the retry loop between them. Both tiers are built here and nothing
// asks which one it is: what differs comes in as options.

import { directAcceptWorks } from "../net/sockets.ts";
import type { Registry } from "../registry/document.ts";
import { followRegistry } from "../registry/follower.ts";
import { descriptorLimit } from "../runtime/descriptors.ts";
import { type Context, live, type Traffic } from "../runtime/lifecycle.ts";
import { listenForTraffic } from "../runtime/ports.ts";
import type { Policy } from "./cluster/choose.ts";
import type { Select } from "./cluster/selection.ts";
import type { Exchange } from "./downstream/exchange.ts";
import { Listener } from "./downstream/listener.ts";
import { TierDrain } from "./downstream/tier-drain.ts";
import { trustedPeers } from "./downstream/trusted-peers.ts";
import { OpenUpgrades } from "./downstream/upgrades/open-upgrades.ts";
import { accessLog } from "./forward/access-log.ts";
import { AttemptLog } from "./forward/attempt-log.ts";
import { Retry } from "./forward/retry.ts";
import type { Downstream, Send } from "./forward/send.ts";
import { tierMetrics } from "./metrics.ts";
import { HEAD_BYTES_ADDED } from "./rules/head-limits.ts";
import { BODY_TOO_LARGE, NO_ROUTE } from "./rules/outcome.ts";
import { MemberConnections } from "./upstream/connections.ts";
import { upgradeSender } from "./upstream/upgrade.ts";
import { Upstreams } from "./upstreams.ts";

/** Files, pipes, and connections to members that are idle. */
const DESCRIPTORS_BESIDE = 128;
const DESCRIPTORS_FIX = "raise the limit of open files (ulimit -n; in Compose: ulimits) or lower CONNECTIONS_MAX";

export interface TierOptions {
  /** Of proxies and of samples of ours, unless POLICY says otherwise. */
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
  readonly #upstreams: Upstreams;
  readonly #listener: Listener;
  readonly #connections: MemberConnections;
  readonly #open = new OpenUpgrades();
  readonly #edge: boolean;
  /** The registry has taken this tier itself out of traffic. */
  #leaving = false;
  readonly metrics = tierMetrics({
    inFlight: () => this.#listener.inFlight,
    serving: () => this.#upstreams.serving,
    upgrades: () => this.#open.size,
    links: () => this.#connections.linksOpen,
    connections: () => this.#listener.http,
    pools: () => this.#upstreams.counted,
    underWay: () => this.#upstreams.underWay,
    connectionsTo: () => this.#connections.counted,
    held: () => this.#upstreams.held,
  });

  constructor({ policy, edge, select }: TierOptions, context: Context, direct: boolean) {
    const { settings, log } = context;
    const connections = new MemberConnections(settings, edge);
    this.#edge = edge;
    this.#connections = connections;
    this.#context = context;
    const access = accessLog(settings, log);
    this.#upstreams = new Upstreams({
      ...{ context, policy, edge, select, connections },
      log: new AttemptLog(log, access),
    });
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
      access,
    });
  }

  get traffic(): Traffic {
    const { settings } = this.#context;
    const listener = this.#listener;
    const drain = new TierDrain({ listener, open: this.#open, upgrades: settings.DRAIN_UPGRADES });
    return { listen: () => listenForTraffic(listener.http.server, settings), drain };
  }

  /** Whatever stands in front of a tier that is to go looks elsewhere before it does. */
  get ready(): boolean {
    return this.#upstreams.serving > 0 && !this.#leaving;
  }

  start(): void {
    this.#compareWithDescriptors();
  }

  adopt(registry: Registry): void {
    const { ID } = this.#context.settings;
    this.#leaving = this.#edge && registry.members.some(({ id, state }) => id === ID && state === "draining");
    this.#upstreams.adopt(registry);
    this.metrics.registryAdopted(registry.version);
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  /** What a setting promises and the system does not give is said at the start, and not when it is missed. */
  #compareWithDescriptors(): void {
    const { settings, log } = this.#context;
    const limit = descriptorLimit();
    const needed = settings.CONNECTIONS_MAX + settings.MEMBER_REQUESTS_MAX + DESCRIPTORS_BESIDE;
    if (limit !== undefined && limit < needed) log("descriptors-few", { limit, needed, fix: DESCRIPTORS_FIX });
  }

  #carryOut<Each extends Downstream>(exchange: Each, send: Send<Each>): void {
    const upstream = this.#upstreams.for(exchange.to);
    if (upstream === undefined) exchange.over(NO_ROUTE);
    else if (upstream.bodyBytesMax === undefined || exchange.limitBody(upstream.bodyBytesMax))
      new Retry(exchange, send, upstream.retry).start();
    else exchange.over(BODY_TOO_LARGE);
  }
}
