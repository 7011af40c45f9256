// Finds a peer that hangs, or whose network is gone: its connection looks like an idle one. A peer that is silent gets a ping, and any
// byte counts as its answer. Silence is counted in ticks, at most one between two polls of the sockets, so that a process which was
// stopped itself first reads what has come meanwhile.

/** Silent ticks in a row. A byte just behind a tick counts for the whole next one, hence the tick more below. */
const TICKS_MAX = 3;

export interface LivenessOwner {
  ping(): void;
  onSilence(): void;
}

export class PeerLiveness {
  readonly #owner: LivenessOwner;
  readonly #timer: NodeJS.Timeout;
  #heard = false;
  #silentTicks = 0;

  /** @param silenceMsMax after which the other side is given up, if not up to a quarter earlier */
  constructor(owner: LivenessOwner, silenceMsMax: number) {
    this.#owner = owner;
    this.#timer = setInterval(() => this.#tick(), silenceMsMax / (TICKS_MAX + 1)).unref();
  }

  /** Called with every read, so it does as little as possible. */
  heard(): void {
    this.#heard = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    if (this.#heard) {
      this.#heard = false;
      this.#silentTicks = 0;
      return;
    }
    this.#silentTicks += 1;
    if (this.#silentTicks < TICKS_MAX) this.#owner.ping();
    else this.#owner.onSilence();
  }
}
