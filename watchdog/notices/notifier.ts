// Tells a webhook what happens to slots: in order, one at a time, beside the loop. It never throws and nothing waits for it: a
// notice that cannot be delivered is tried again with back-off, and one too many or too old is dropped. The rules: notice.ts.

import { setTimeout as delay } from "node:timers/promises";
import { Condition, type Log } from "../../services/runtime/log.ts";
import type { Notice } from "../incidents/recorder.ts";
import { afterFailure, bodyOf } from "./notice.ts";
import { Webhook } from "./webhook.ts";

const QUEUE_MAX = 100;
const ATTEMPT_MS = 5_000;
/** The time that a stopping watchdog gives to notices that are still to deliver. */
const LAST_CHANCE_MS = 1_000;

/** A wait that `hurry` ends early; it may reject then. */
type Pause = (ms: number, hurry: AbortSignal) => Promise<void>;

export interface NotifierOptions {
  /** Undefined: nobody is told anything. */
  readonly url: string | undefined;
  readonly log: Log;
  readonly project?: string | undefined;
  readonly attemptMs?: number;
  readonly pause?: Pause;
}

interface QueuedNotice {
  readonly body: string;
  readonly givenMs: number;
}

export class Notifier {
  readonly #webhook: Webhook | undefined;
  readonly #log: Log;
  readonly #project: string | undefined;
  readonly #pause: Pause;
  readonly #queue: QueuedNotice[] = [];
  readonly #closing = new AbortController();
  readonly #stop = new AbortController();
  #delivering: Promise<void> | undefined;
  /** The webhook's, in a row. */
  #failures = 0;
  /** Notices that were never delivered, since the webhook last worked. */
  #lost = 0;
  readonly #condition: Condition;

  constructor({ url, log, project, attemptMs = ATTEMPT_MS, pause = waited }: NotifierOptions) {
    this.#webhook = url === undefined ? undefined : new Webhook(url, attemptMs);
    this.#log = log;
    this.#condition = new Condition(log, "notices");
    this.#project = project;
    this.#pause = pause;
  }

  send(notice: Notice): void {
    if (this.#webhook === undefined || this.#closing.signal.aborted) return;
    if (this.#queue.length >= QUEUE_MAX) this.#dropOldest();
    const body = JSON.stringify(bodyOf(notice, new Date(), this.#project));
    this.#queue.push({ body, givenMs: performance.now() });
    this.#delivering ??= this.#deliver(this.#webhook);
  }

  /** Gives each notice that is still to deliver one more try, and a second for all of them. */
  async close(): Promise<void> {
    this.#closing.abort();
    const end = setTimeout(() => this.#stop.abort(), LAST_CHANCE_MS);
    await this.#delivering;
    clearTimeout(end);
    this.#lost += this.#queue.length;
    if (this.#lost > 0) this.#log("notices-lost", { lost: this.#lost });
    await this.#webhook?.close();
  }

  async #deliver(webhook: Webhook): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      const delivered = await this.#deliverOne(webhook, next);
      if (!delivered) this.#lost += 1;
    }
    this.#delivering = undefined;
  }

  /** @returns whether it was delivered in the end */
  async #deliverOne(webhook: Webhook, { body, givenMs }: QueuedNotice): Promise<boolean> {
    for (let tries = 1; ; tries += 1) {
      const delivery = await webhook.post(body, this.#stop.signal);
      if (delivery.kind === "delivered") {
        this.#noteSuccess(webhook);
        return true;
      }
      if (this.#stop.signal.aborted) return false;
      this.#condition.failing(delivery.reason, { to: webhook.origin });
      if (delivery.kind === "refused" || this.#closing.signal.aborted) return false;
      this.#failures += 1;
      const ageMs = performance.now() - givenMs;
      const { delayMs, again } = afterFailure({ failures: this.#failures, tries, ageMs, random: Math.random() });
      await this.#pause(delayMs, this.#closing.signal).catch(() => {});
      if (!again) return false;
    }
  }

  #dropOldest(): void {
    this.#queue.shift();
    this.#lost += 1;
    if (this.#condition.reason === undefined) this.#condition.failing(`${QUEUE_MAX} wait: the oldest are dropped`);
  }

  #noteSuccess({ origin }: Webhook): void {
    this.#condition.recovered({ to: origin, lost: this.#lost });
    this.#failures = 0;
    this.#lost = 0;
  }
}

async function waited(ms: number, hurry: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: hurry });
}
