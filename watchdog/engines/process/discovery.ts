// Discovery on plain processes: the slots are a topology that the settings fix, the members are the children of whoever keeps them.

import { reports, type Slot } from "../../desired/slot.ts";
import type { Discovery, EngineEvent, Found, OtherVersion } from "../discovery.ts";
import { type Child, type Children, lifeOf } from "./children.ts";
import type { OwnProgram } from "./own-program.ts";

interface ProcessDiscoveryParts {
  readonly slots: readonly Slot[];
  readonly children: Children;
  /** What the servers are that are no samples of ours. */
  readonly own: OwnProgram | undefined;
  /** Where the members listen. */
  readonly host: string;
  /** Have members of an earlier watchdog been found? */
  readonly adopted: boolean;
}

export class ProcessDiscovery implements Discovery {
  readonly self = undefined;
  readonly project = undefined;
  readonly membersStay: boolean;
  readonly #slots: readonly Slot[];
  readonly #children: Children;
  readonly #own: OwnProgram | undefined;
  readonly #host: string;

  constructor({ slots, children, own, host, adopted }: ProcessDiscoveryParts) {
    this.#slots = slots;
    this.#own = own;
    this.#children = children;
    this.#host = host;
    this.membersStay = adopted;
  }

  async slots(): Promise<readonly Slot[]> {
    return this.#slots;
  }

  async list(): Promise<readonly Found[]> {
    const filled = new Set(this.#children.all.map(({ slot }) => slot.id));
    return Array.from(filled, (slot) => {
      const inSlot = this.#children.inSlot(slot);
      return this.#found(inSlot.at(-1) as Child, inSlot.at(-2));
    });
  }

  async formerVersion(): Promise<OtherVersion> {
    return { kind: "none", reason: "without Docker there is one version" };
  }

  async imageVersion(): Promise<OtherVersion> {
    return { kind: "none", reason: "without Docker there are no images" };
  }

  /** Nobody counts processes but us, and no event tells of one that is gone. */
  removedByUs(): boolean {
    return true;
  }

  async lastLines(instance: string, count: number): Promise<readonly string[]> {
    return this.#children.get(instance)?.lines.slice(-count) ?? [];
  }

  async watch(onEvent: (event: EngineEvent) => void, stop: AbortSignal): Promise<void> {
    this.#children.tell = onEvent;
    stop.addEventListener("abort", () => {
      this.#children.tell = () => {};
    });
  }

  #found(child: Child, previous: Child | undefined): Found {
    const { slot, instance, unheard, draining, run } = child;
    const own = reports(slot) ? undefined : this.#own;
    const ports = own === undefined ? child.ports : own.portsOf(instance);
    return {
      slot: slot.id,
      instance,
      ours: true,
      host: this.#host,
      life: lifeOf(child),
      unheard,
      draining,
      passesOwnCheck: false,
      unhealthy: false,
      stranded: false,
      // All find a port of their own, but for the balancer.
      overlaps: slot.role !== "balancer",
      ...own?.facts,
      ...(previous === undefined ? {} : { succeeds: previous.instance }),
      ...(run === undefined ? {} : { pid: run.pid }),
      ...(ports === undefined ? {} : { ports }),
      ...(unheard.refused === undefined ? {} : { obstacle: unheard.refused }),
    };
  }
}
