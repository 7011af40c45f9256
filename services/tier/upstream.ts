// An upstream: what the requests for one pool have in common at a tier. Its cluster, and the parts that their retry loops share; which of
// the pool's settings hold is its to say.

import type { Registry, RegistryPool } from "../registry/document.ts";
import type { Context } from "../runtime/lifecycle.ts";
import { OWN_POOL } from "../runtime/roles.ts";
import type { Policy } from "./cluster/choose.ts";
import { Cluster, type ClusterRules } from "./cluster/cluster.ts";
import { PoolCounts } from "./cluster/counts.ts";
import { ofPool, type Select } from "./cluster/selection.ts";
import type { AttemptLog } from "./forward/attempt-log.ts";
import { Evacuation } from "./forward/evacuation.ts";
import { Hold } from "./forward/hold.ts";
import { News } from "./forward/news.ts";
import type { RetryContext } from "./forward/retry.ts";
import { RetryBudget } from "./forward/retry-budget.ts";
import type { PoolCounted } from "./upstream-metrics.ts";

/**
 * A tier in front of another waits so much longer: the one behind it says which response did not come in time, and is not blamed for
 * what a server owes.
 */
const TIER_BEHIND_MS = 500;

export interface UpstreamOptions {
  readonly context: Context;
  /** Of proxies and of samples of ours, unless POLICY or the pool says otherwise. */
  readonly policy: Policy;
  /** Do clients reach this tier directly? */
  readonly edge: boolean;
  readonly select: Select;
  readonly log: AttemptLog;
}

export class Upstream {
  readonly cluster: Cluster;
  readonly retry: RetryContext;
  /** Absent: this tier holds nobody. */
  readonly hold: Hold | undefined;
  readonly #options: UpstreamOptions;
  readonly #stop = new AbortController();
  #pool: RegistryPool;
  /** Are its servers samples of ours? The registry names no pool of theirs. */
  #isOwn = true;

  constructor(pool: RegistryPool, options: UpstreamOptions) {
    const { context, edge, select, log } = options;
    const { settings } = context;
    this.#pool = pool;
    this.#options = options;
    this.hold = edge ? new Hold(settings.HELD_MAX) : undefined;
    this.cluster = new Cluster({
      settings,
      log: context.log,
      ...this.#rules,
      select: (registry) => select(registry, this.#nameIn(registry)),
    });
    this.cluster.start(this.#stop.signal);
    const deadlineMs = () => (this.#pool.timeoutMs ?? settings.RESPONSE_TIMEOUT_MS) + (edge ? TIER_BEHIND_MS : 0);
    this.retry = {
      cluster: this.cluster,
      budget: new RetryBudget(),
      evacuation: new Evacuation(),
      ...(this.hold && { hold: this.hold }),
      news: new News(),
      log,
      counts: new PoolCounts(),
      brokeMax: settings.BREAKING_RETRIES_MAX,
      get deadlineMs() {
        return deadlineMs();
      },
    };
  }

  /** The largest body of a request, in bytes; undefined: as large as any. */
  get bodyBytesMax(): number | undefined {
    return this.#pool.bodyBytesMax;
  }

  /** Ids of the members that may get a new request. */
  get serving(): string[] {
    return this.cluster.serving.map(({ id }) => id);
  }

  get counted(): PoolCounted {
    const { waiting, members } = this.cluster;
    return { pool: this.#pool.name || OWN_POOL, counts: this.retry.counts, waiting, members };
  }

  configure(pool: RegistryPool): void {
    this.#pool = pool;
    this.cluster.configure(this.#rules);
  }

  adopt(registry: Registry): void {
    const servers = ofPool(registry.members, this.#nameIn(registry)).filter(({ role }) => role === "server");
    const isOwn = servers.every(({ pool = OWN_POOL }) => pool === OWN_POOL);
    if (isOwn !== this.#isOwn) {
      this.#isOwn = isOwn;
      this.cluster.configure(this.#rules);
    }
    this.cluster.adopt(registry);
    const most = Math.max(1, ...Array.from(this.cluster.members, (member) => member.servers));
    this.retry.budget.cover(most * this.#options.context.settings.MEMBER_REQUESTS_MAX);
    this.retry.evacuation.evacuate(this.cluster);
  }

  /** Tells those that wait for it what has been adopted. */
  tell(registry: Registry): void {
    this.hold?.adopt(ofPool(registry.members, this.#nameIn(registry)));
    this.retry.news.came();
  }

  /** Nobody waits any longer, and nobody is probed. */
  end(): void {
    this.#stop.abort();
    this.hold?.end();
    this.retry.news.end();
  }

  /** Where the registry names no pools, or this is that of all, all members are its own. */
  #nameIn({ pools }: Registry): string | undefined {
    return pools === undefined || this.#pool.name === "" ? undefined : this.#pool.name;
  }

  get #rules(): ClusterRules {
    const { POLICY, STICKY_COOKIE } = this.#options.context.settings;
    const { policy } = this.#options;
    return {
      policy: POLICY ?? policy,
      policyOfServers: this.#pool.policy ?? POLICY ?? (this.#isOwn ? policy : "least-requests"),
      stickyCookie: this.#pool.sticky ?? STICKY_COOKIE,
    };
  }
}
