// The runner on plain processes: a member is started from this program with an environment of its own.

import type { Settings } from "../../../services/runtime/config.ts";
import { trafficRoles } from "../../../services/runtime/roles.ts";
import type { Slot } from "../../desired/slot.ts";
import { DRAIN_MARGIN_MS, type Runner, type Wanted } from "../runner.ts";
import type { Children } from "./children.ts";

export class ProcessRunner implements Runner {
  readonly #children: Children;
  readonly #settings: Settings;

  constructor(children: Children, settings: Settings) {
    this.#children = children;
    this.#settings = settings;
  }

  /** Members look for a free port by themselves: there is none to move. */
  async create(slot: Slot, { environment, replaces }: Wanted): Promise<string> {
    const filling = this.#children.inSlot(slot.id).at(-1)?.instance;
    if (replaces !== undefined && filling !== undefined && replaces.instance !== filling)
      throw new Error("somebody has put another one in its place meanwhile");
    return this.#children.add(slot, { ...environment, ...this.#environmentOf(slot) });
  }

  async start(instance: string): Promise<void> {
    const child = this.#children.get(instance);
    if (child === undefined) throw new Error(`no member ${instance}`);
    await this.#children.start(child);
  }

  async isUnique(): Promise<boolean> {
    return false;
  }

  async stop(instance: string, deadlineMs: number): Promise<void> {
    await this.#children.end(this.#children.get(instance), deadlineMs);
  }

  async remove(instance: string): Promise<void> {
    await this.#children.end(this.#children.get(instance), 0);
    this.#children.forget(instance);
  }

  async commit(slot: string, deadlineMs: number): Promise<void> {
    const previous = this.#children.inSlot(slot).slice(0, -1);
    await Promise.all(previous.map((child) => this.#children.end(child, deadlineMs)));
    for (const { instance } of previous) this.#children.forget(instance);
  }

  /** There is one version. */
  async keepVersion(): Promise<void> {}

  /** Its slots are a fixed topology. */
  async forget(): Promise<void> {}

  /** Drains the balancer first, so that what is in flight still finds proxies and servers; then the proxies, then the servers. */
  async close(): Promise<void> {
    const deadlineMs = this.#settings.DRAIN_TIMEOUT_MS + DRAIN_MARGIN_MS;
    for (const role of trafficRoles) {
      const children = this.#children.all.filter(({ slot }) => slot.role === role);
      await Promise.all(children.map((child) => this.#children.end(child, deadlineMs)));
    }
  }

  #environmentOf({ id, role, group }: Slot): Record<string, string> {
    const { HOST, REGISTRY_FILE, BALANCER_PORT } = this.#settings;
    return {
      ROLE: role,
      ID: id,
      HOST,
      REGISTRY_FILE,
      STOP_WITH_STDIN: "yes",
      GROUP: group ?? "",
      PORT: role === "balancer" ? String(BALANCER_PORT) : "",
      ADMIN_PORT: "",
      // The watchdog's own secrets.
      NOTIFY_URL: "",
      NOTIFY_URL_FILE: "",
      API_TOKEN: "",
      API_TOKEN_FILE: "",
    };
  }
}
