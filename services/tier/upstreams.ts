// A tier's upstreams, one for each pool of the registry, and the routes that lead to them. While the registry names no pools there is
// one upstream, which gets everything. What is under way when its pool goes is finished.

import type { Registry, RegistryPool } from "../registry/document.ts";
import type { Destination } from "./rules/request-rules.ts";
import { RouteTable } from "./rules/routes.ts";
import type { MemberConnections } from "./upstream/connections.ts";
import { Upstream, type UpstreamOptions } from "./upstream.ts";
import type { PoolCounted, UnderWay } from "./upstream-metrics.ts";

export interface UpstreamsOptions extends UpstreamOptions {
  readonly connections: Pick<MemberConnections, "keep">;
}

/** The pool of all, while the registry names none. */
const EVERYTHING: RegistryPool = { name: "", routes: [{ path: "/" }] };
/** What is under way, or held, when its pool is no longer there. */
const LEAVES_WITHIN_MS = 60_000;

export class Upstreams {
  readonly #options: UpstreamsOptions;
  /** By the pool's name. */
  #upstreams = new Map<string, Upstream>();
  /** Those whose pools are no longer there. */
  readonly #leaving = new Set<Upstream>();
  #routes = new RouteTable<Upstream>([]);
  #heldBefore = 0;

  constructor(options: UpstreamsOptions) {
    this.#options = options;
    this.#arrange([EVERYTHING]);
    const end = () => {
      for (const upstream of this.#all) upstream.end();
    };
    options.context.stop.addEventListener("abort", end, { once: true });
  }

  /** How many members may get a new request. */
  get serving(): number {
    return new Set(this.#all.flatMap((upstream) => upstream.serving)).size;
  }

  /** Of each pool that there is. */
  get counted(): PoolCounted[] {
    return [...this.#upstreams.values()].map((upstream) => upstream.counted);
  }

  /** By pool and member: requests that are not over, also those of pools that are no longer there. */
  get underWay(): Iterable<UnderWay> {
    const all = new Map<string, UnderWay>();
    for (const upstream of this.#all) {
      const { pool, members } = upstream.counted;
      for (const { id, load } of members) {
        if (load.open === 0 && this.#leaving.has(upstream)) continue;
        const key = JSON.stringify([pool, id]);
        all.set(key, { pool, member: id, open: (all.get(key)?.open ?? 0) + load.open });
      }
    }
    return all.values();
  }

  /** Undefined: this tier holds nobody. */
  get held(): { readonly size: number; readonly total: number } | undefined {
    if (!this.#options.edge) return undefined;
    const sum = (counts: readonly number[]) => counts.reduce((before, count) => before + count, 0);
    return {
      size: sum(this.#all.map(({ hold }) => hold?.size ?? 0)),
      total: this.#heldBefore + sum(this.#all.map(({ hold }) => hold?.total ?? 0)),
    };
  }

  /** @returns undefined where no route leads */
  for(to: Destination): Upstream | undefined {
    return this.#routes.find(to);
  }

  adopt(registry: Registry): void {
    this.#arrange(registry.pools ?? [EVERYTHING]);
    const all = this.#all;
    for (const upstream of all) upstream.adopt(registry);
    this.#options.connections.keep(all.flatMap(({ cluster }) => [...cluster.members]));
    for (const upstream of all) upstream.tell(registry);
    const serving = [...new Set(all.flatMap((upstream) => upstream.serving))];
    this.#options.context.log("registry-adopted", { version: registry.version, serving });
  }

  get #all(): Upstream[] {
    return [...this.#upstreams.values(), ...this.#leaving];
  }

  #arrange(pools: readonly RegistryPool[]): void {
    const before = this.#upstreams;
    this.#upstreams = new Map(
      pools.map((pool) => {
        const upstream = before.get(pool.name) ?? new Upstream(pool, this.#options);
        upstream.configure(pool);
        return [pool.name, upstream];
      }),
    );
    const routes = pools.flatMap(({ name, routes: its }) => its.map((route) => [route, name] as const));
    this.#routes = new RouteTable(routes.map(([route, name]) => [route, this.#upstreams.get(name) as Upstream]));
    for (const [name, upstream] of before) if (!this.#upstreams.has(name)) this.#leave(upstream);
  }

  #leave(upstream: Upstream): void {
    this.#leaving.add(upstream);
    const drop = () => {
      this.#leaving.delete(upstream);
      this.#heldBefore += upstream.hold?.total ?? 0;
      upstream.end();
    };
    setTimeout(drop, LEAVES_WITHIN_MS).unref();
  }
}
