// The lease by which one of several watchdogs leads and the others wait: claims it, renews it, and says when it is lost. Its
// user asks `held()` before each act, and stops for good when `lost` is aborted. The rules are in rules.ts.

import { once } from "node:events";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { makeDirectory } from "../../services/runtime/atomic-file.ts";
import { Condition, type Log } from "../../services/runtime/log.ts";
import { Claims } from "./claims.ts";
import {
  type Claim,
  holds,
  isLate,
  nextWithClaim,
  nextWithoutClaim,
  type ObservedClaim,
  type OwnClaim,
  observedAfter,
  ownClaimFrom,
  POLL_MS,
  RENEW_MS,
  renewed,
} from "./rules.ts";

interface LeaseOptions {
  /** The claims are in `lease/` beside it. */
  readonly registryFile: string;
  /** Ours alone among all that run, and the same after a restart (see holder.ts): the lease of our run before is ours at once. */
  readonly id: string;
  /** Has a holder ended, by somebody who knows? False: nobody says so, and its silence alone tells. */
  readonly hasEnded: (holder: string) => Promise<boolean>;
  readonly log: Log;
  /** Ends the wait. A leader keeps the lease until `release`: there may be a heal to roll back. */
  readonly stop: AbortSignal;
}

export interface Leader {
  readonly id: string;
  readonly epoch: number;
}

/** @throws StartupFailure when the directory cannot be made or written */
export async function openLease(options: LeaseOptions): Promise<Lease> {
  const directory = join(dirname(options.registryFile), "lease");
  await makeDirectory(directory, "ours");
  const lease = new Lease(new Claims(directory, options.id), options);
  lease.start();
  return lease;
}

/** Good for one time of leading: one that is lost or released stays so. */
export class Lease {
  readonly #claims: Claims;
  readonly #options: LeaseOptions;
  readonly #led = new AbortController();
  readonly #lost = new AbortController();
  /** From then on nothing is claimed or renewed. */
  readonly #over = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #observed: ObservedClaim | undefined;
  #own: OwnClaim | undefined;
  #waitsFor = "";
  readonly #condition: Condition;

  constructor(claims: Claims, options: LeaseOptions) {
    this.#claims = claims;
    this.#options = options;
    this.#condition = new Condition(options.log, "lease");
  }

  start(): void {
    const { stop } = this.#options;
    const giveUp = () => {
      if (!this.#led.signal.aborted) this.#over.abort(stop.reason);
    };
    stop.addEventListener("abort", giveUp, { once: true });
    if (stop.aborted) giveUp();
    this.#running = this.#run();
  }

  /** Resolves with our epoch when we lead. Rejects with the reason of `stop`, or when the lease was released before. */
  async lead(): Promise<number> {
    const decided = AbortSignal.any([this.#led.signal, this.#over.signal]);
    if (!decided.aborted) await once(decided, "abort");
    if (this.#led.signal.aborted) return this.#led.signal.reason as number;
    throw this.#over.signal.reason;
  }

  /** Aborted when a standby leads in our place: whatever is begun must not be finished. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** May we act now? False as well when our event loop stood still for so long that another one may lead already. */
  held(): boolean {
    const leads = this.#led.signal.aborted && !this.#over.signal.aborted;
    return leads && this.#own !== undefined && holds(this.#own, performance.now());
  }

  /** The watchdog that leads, as far as we have seen; undefined while none does. */
  leader(): Leader | undefined {
    const claim = this.#observed?.claim;
    return claim === undefined || claim.id === "" || claim.released ? undefined : { id: claim.id, epoch: claim.epoch };
  }

  /** Ends the lease; the next one leads at once. Call it when the last act is over. */
  async release(): Promise<void> {
    this.#over.abort(new Error("the lease was released"));
    await this.#running;
    if (!this.#led.signal.aborted || this.#own === undefined) return;
    const { epoch } = this.#own;
    this.#own = undefined;
    this.#observed = undefined;
    try {
      await this.#claims.renew(epoch, { led: true, released: true });
      this.#options.log("lease-released", { epoch });
    } catch (error) {
      this.#condition.failing((error as Error).message);
    }
  }

  async #run(): Promise<void> {
    const over = this.#over.signal;
    while (!over.aborted) {
      try {
        if (this.#own === undefined) await this.#contend();
        if (this.#own !== undefined) await this.#renew(this.#own);
        this.#condition.recovered();
      } catch (error) {
        this.#condition.failing((error as Error).message);
      }
      const restMs = this.#own === undefined ? POLL_MS : RENEW_MS;
      await delay(restMs, undefined, { signal: over }).catch(() => {});
    }
  }

  async #contend(): Promise<void> {
    await this.#look();
    const ended = await this.#hasEnded();
    const begunMs = performance.now();
    const decision = nextWithoutClaim(this.#observed, this.#options.id, begunMs, ended);
    if (decision.kind !== "claim") return this.#noteWaiting();
    const decidedOn = this.#observed?.claim;
    if (!(await this.#claims.make(decision.epoch))) return;
    const madeMs = performance.now();
    const again = decidedOn && (await this.#claims.read(decidedOn.epoch));
    this.#own = ownClaimFrom(decision.epoch, { begunMs, madeMs, decidedOn, again });
  }

  /** Asked of a holder that is late alone. */
  async #hasEnded(): Promise<boolean> {
    const observed = this.#observed;
    return isLate(observed, performance.now()) && this.#options.hasEnded(observed.claim.id);
  }

  async #renew(own: OwnClaim): Promise<void> {
    const { log, id } = this.#options;
    const begunMs = performance.now();
    await this.#claims.renew(own.epoch, { led: begunMs >= own.leadsFromMs, released: false });
    await this.#look();
    const decision = nextWithClaim(own, this.#observed, id, begunMs);
    if (decision.kind === "lost") return this.#lose(own, decision.to);
    this.#own = renewed(own, begunMs);
    if (decision.kind !== "lead" || this.#led.signal.aborted || this.#over.signal.aborted) return;
    this.#led.abort(own.epoch);
    log("lease-acquired", { epoch: own.epoch });
    await this.#claims.removeBelow(own.epoch);
  }

  async #look(): Promise<void> {
    const highest = await this.#claims.highest();
    this.#observed = observedAfter(this.#observed, highest, performance.now());
  }

  /** A watchdog that had not led yet goes on waiting. */
  #lose({ epoch }: OwnClaim, to: Claim): void {
    this.#own = undefined;
    if (!this.#led.signal.aborted) return;
    const reason = `${to.id || "another watchdog"} leads by epoch ${to.epoch}`;
    this.#options.log("lease-lost", { epoch, reason });
    this.#over.abort(new Error(reason));
    this.#lost.abort(new Error(reason));
  }

  #noteWaiting(): void {
    const { id, epoch } = this.leader() ?? { id: "", epoch: 0 };
    if (id === "" || id === this.#waitsFor) return;
    this.#waitsFor = id;
    this.#options.log("lease-waiting", { leader: id, epoch });
  }
}
