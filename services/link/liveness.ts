// Does the other side still live? A connection whose peer hangs, or whose network is gone, looks like an idle one. So whoever has
// been silent for half of what is allowed gets a ping, which anything that it sends answers. A process that stood still itself
// hears what has come meanwhile before it judges, for it judges by ticks, one at most between two looks at its sockets.

/** Silent ones in a row. What comes just behind a tick is noticed by the next one, so that a peer has up to one more. */
const TICKS_MAX = 3;

export interface LivenessOwner {
  ping(): void;
  onSilence(): void;
}

export class Liveness {
  readonly #owner: LivenessOwner;
  readonly #timer: NodeJS.Timeout;
  #heard = false;
  #silentTicks = 0;

  /** @param silenceMsMax after which the other side is given up, if not up to a quarter earlier */
  constructor(owner: LivenessOwner, silenceMsMax: number) {
    this.#owner = owner;
    this.#timer = setInterval(() => this.#tick(), silenceMsMax / (TICKS_MAX + 1)).unref();
  }

  /** Called with everything that comes, so it does as little as can be. */
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
