// The engine seam on dockerode. Its slots are the services of our own Compose project whose containers have a ROLE; it
// touches no other container. While a successor is tried, the one before stands aside under its name and ASIDE.

import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import type { Settings } from "../services/config.ts";
import { exitCode, StartupFailure } from "../services/exit.ts";
import type { Log } from "../services/log.ts";
import { type Connection, connect, ignoring, inspectSelf } from "./docker/connection.ts";
import { ASIDE, bySlot, isAside, isBeingRemoved, isUnhealthy, lifeOf, nameOf, slotOf } from "./docker/inspected.ts";
import { type Inspected, twinOf } from "./docker/recreate.ts";
import { Runs } from "./docker/runs.ts";
import { followEvents } from "./docker/streams.ts";
import { Templates } from "./docker/templates.ts";
import type { Engine, Found, Slot } from "./engine.ts";
import type { EngineEvent } from "./intent.ts";

/** How long a name may stay taken by a container that is being removed. */
const NAME_FREE_WITHIN_MS = 10_000;
const NAME_POLL_MS = 50;

/** A container of the project that has a role. */
interface Listed {
  readonly slot: Slot;
  readonly inspected: Docker.ContainerInspectInfo;
}

/** @throws StartupFailure when there is no engine we can use, or no Compose project we are part of */
export async function openDockerEngine(settings: Settings, log: Log): Promise<Engine> {
  const connection = await connect(settings.DOCKER_SOCKET);
  const self = await inspectSelf(connection);
  const project = settings.COMPOSE_PROJECT_NAME ?? self?.Config.Labels["com.docker.compose.project"];
  if (project === undefined) {
    const fix = "start it with docker compose, or set COMPOSE_PROJECT_NAME to the project to watch";
    throw new StartupFailure(exitCode.settings, `the watchdog is no part of a Compose project: ${fix}`);
  }
  const networks = new Set(Object.keys(self?.NetworkSettings.Networks ?? {}));
  const templates = new Templates(join(dirname(settings.REGISTRY_FILE), "templates"));
  await templates.open();
  const engine = new DockerEngine({ connection, project, networks, templates, log });
  await engine.recover();
  return engine;
}

interface Parts {
  readonly connection: Connection;
  readonly project: string;
  /** The watchdog's own networks: a member is reached on one of them. */
  readonly networks: ReadonlySet<string>;
  readonly templates: Templates;
  readonly log: Log;
}

class DockerEngine implements Engine {
  readonly #docker: Docker;
  readonly #parts: Parts;
  /** By id and what the listing says of it: inspected anew when that changes, or an event names it. */
  readonly #inspections = new Map<string, { readonly mark: string; readonly info: Docker.ContainerInspectInfo }>();
  readonly #runs: Runs;
  /** Stops and removals of our own, which speak of nobody's wish. */
  readonly #ours = new Set<string>();
  #tell: (event: EngineEvent) => void = () => {};

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#docker = parts.connection.calls;
    this.#runs = new Runs(parts.connection.streams, (slot) => this.#tell({ kind: "changed", slot }));
  }

  async slots(): Promise<readonly Slot[]> {
    return this.#parts.templates.all.map(({ slot }) => slot).sort(bySlot);
  }

  async list(): Promise<readonly Found[]> {
    const listed = await this.#members();
    const current = listed.filter(({ inspected }) => !isAside(inspected));
    for (const { slot, inspected } of current) {
      await this.#parts.templates.keep({ slot, inspected: inspected as unknown as Inspected });
    }
    this.#runs.follow(current.filter(({ inspected }) => inspected.State.Running));
    return current.map((member) => this.#found(member));
  }

  async create(slot: Slot, environment: Readonly<Record<string, string>>): Promise<string> {
    const template = this.#parts.templates.get(slot.id);
    if (template === undefined) throw new Error(`nothing is known of ${slot.id}: run docker compose up -d ${slot.id}`);
    const { inspected } = template;
    const name = inspected.Name.replace(/^\//, "");
    await this.#putAside(slot, name);
    const body = twinOf(inspected, { image: await this.#imageOf(inspected), environment });
    const container = await this.#createWhenFree(name, body);
    return container.id;
  }

  async start(instance: string): Promise<void> {
    await ignoring([304], this.#docker.getContainer(instance).start());
  }

  async stop(instance: string, deadlineMs: number): Promise<void> {
    this.#ours.add(instance);
    await ignoring([304, 404, 409], this.#docker.getContainer(instance).stop({ t: Math.ceil(deadlineMs / 1000) }));
  }

  async remove(instance: string): Promise<void> {
    const successor = (await this.#members()).find(({ inspected }) => inspected.Id === instance);
    await this.#removeContainer(instance);
    const aside = successor && (await this.#asideOf(successor.slot));
    if (aside !== undefined) await this.#rename(aside.inspected.Id, nameOf(aside.inspected).slice(0, -ASIDE.length));
  }

  async settle(instance: string): Promise<void> {
    const successor = (await this.#members()).find(({ inspected }) => inspected.Id === instance);
    const aside = successor && (await this.#asideOf(successor.slot));
    if (aside !== undefined) await this.#removeContainer(aside.inspected.Id);
  }

  watch(onEvent: (event: EngineEvent) => void, stop: AbortSignal): void {
    this.#tell = onEvent;
    const onDockerEvent = (event: EngineEvent, instance: string) => {
      this.#inspections.delete(instance);
      // Started by somebody else, it is theirs to stop.
      if (event.kind === "started") this.#ours.delete(instance);
      onEvent(this.#ours.has(instance) ? { kind: "changed" } : event);
    };
    const { connection, project } = this.#parts;
    void followEvents({ docker: connection.streams, project, onEvent: onDockerEvent, stop });
  }

  /** Containers outlive their watchdog. */
  async close(): Promise<void> {
    await this.#parts.templates.close();
  }

  /**
   * Ends what a watchdog that died in the middle of a heal has left: whoever stands aside goes when its successor has been
   * started, and takes its place again when not.
   */
  async recover(): Promise<void> {
    const listed = await this.#members();
    await this.#parts.templates.prune(new Set(listed.map(({ slot }) => slot.id)));
    for (const { slot, inspected: aside } of listed.filter(({ inspected }) => isAside(inspected))) {
      const successor = listed.find((other) => other.slot.id === slot.id && !isAside(other.inspected));
      this.#parts.log.warn({ slot: slot.id, aside: nameOf(aside) }, "heal-found-unfinished");
      if (successor !== undefined && successor.inspected.State.Status !== "created") {
        await this.#removeContainer(aside.Id);
        continue;
      }
      if (successor !== undefined) await this.#removeContainer(successor.inspected.Id);
      await this.#rename(aside.Id, nameOf(aside).slice(0, -ASIDE.length));
    }
  }

  /** Every container of the project that has a role, those standing aside included. */
  async #members(): Promise<Listed[]> {
    const filters = { label: [`com.docker.compose.project=${this.#parts.project}`, "com.docker.compose.oneoff=False"] };
    const containers = await this.#docker.listContainers({ all: true, filters });
    const ids = new Set(containers.map(({ Id }) => Id));
    for (const known of this.#inspections.keys()) if (!ids.has(known)) this.#inspections.delete(known);
    for (const gone of this.#ours) if (!ids.has(gone)) this.#ours.delete(gone);
    const inspected = await Promise.all(containers.map((container) => this.#inspect(container)));
    return inspected.flatMap((info) => {
      const slot = info && slotOf(info);
      return slot === undefined ? [] : [{ slot, inspected: info as Docker.ContainerInspectInfo }];
    });
  }

  /** undefined: it went between the listing and the look. */
  async #inspect({ Id, State, Status, Names }: Docker.ContainerInfo): Promise<Docker.ContainerInspectInfo | undefined> {
    // "Up 3 minutes (healthy)" also tells of a restart that no event told of. A start that fails changes nothing here and
    // sends no event, so one that is only created is looked at each time.
    const mark = `${State} ${Status} ${Names.join()}`;
    const known = this.#inspections.get(Id);
    if (known?.mark === mark && State !== "created") return known.info;
    const info = await ignoring([404], this.#docker.getContainer(Id).inspect());
    if (info !== undefined) this.#inspections.set(Id, { mark, info });
    return info;
  }

  #found({ slot, inspected }: Listed): Found {
    const host = this.#addressOf(inspected);
    const { ports, draining } = this.#runs.toldBy(inspected);
    return {
      slot: slot.id,
      instance: inspected.Id,
      life: lifeOf(inspected),
      draining,
      unhealthy: isUnhealthy(inspected),
      ...(host === undefined ? {} : { host }),
      ...(ports === undefined ? {} : { ports }),
    };
  }

  #addressOf({ NetworkSettings }: Docker.ContainerInspectInfo): string | undefined {
    const { networks } = this.#parts;
    const entries = Object.entries(NetworkSettings.Networks ?? {}).filter(
      ([name]) => networks.size === 0 || networks.has(name),
    );
    return entries.map(([, { IPAddress }]) => IPAddress).find(Boolean);
  }

  async #putAside(slot: Slot, name: string): Promise<void> {
    const current = (await this.#members()).find((member) => member.slot.id === slot.id && !isAside(member.inspected));
    if (current === undefined) return;
    // A rename that meets a removal leaves the name taken by nobody until the engine restarts; the removal frees it anyway.
    const now = await ignoring([404], this.#docker.getContainer(current.inspected.Id).inspect());
    if (now === undefined || isBeingRemoved(now)) return;
    await ignoring([404, 409], this.#rename(now.Id, `${name}${ASIDE}`));
  }

  async #createWhenFree(name: string, body: Record<string, unknown>): Promise<Docker.Container> {
    const deadline = Date.now() + NAME_FREE_WITHIN_MS;
    for (;;) {
      try {
        return await this.#docker.createContainer({ name, ...body } as Docker.ContainerCreateOptions);
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode !== 409 || Date.now() > deadline) throw error;
        await delay(NAME_POLL_MS);
      }
    }
  }

  async #imageOf({ Config, Image }: Inspected): Promise<string> {
    const tagged = await ignoring([404], this.#docker.getImage(Config.Image).inspect());
    return tagged?.Id === Image ? Config.Image : Image;
  }

  async #asideOf(slot: Slot): Promise<Listed | undefined> {
    return (await this.#members()).find((member) => member.slot.id === slot.id && isAside(member.inspected));
  }

  async #rename(id: string, name: string): Promise<void> {
    await this.#docker.getContainer(id).rename({ name });
    this.#inspections.delete(id);
  }

  /** 409: it is being removed already. Volumes stay: the successor has them. */
  async #removeContainer(id: string): Promise<void> {
    this.#ours.add(id);
    await ignoring([404, 409], this.#docker.getContainer(id).remove({ force: true, v: false }));
    this.#inspections.delete(id);
  }
}
