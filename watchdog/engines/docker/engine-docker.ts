// The engine seam on dockerode. Its slots are the services of our own Compose project whose containers have a ROLE; it
// touches no other container. While a successor is tried, the one before stands aside under its name and ASIDE: so the engine
// itself remembers what a watchdog was about, and the next one reads it there.

import { dirname, join } from "node:path";
import type Docker from "dockerode";
import type { Settings } from "../../../services/runtime/config.ts";
import { exitCode, StartupFailure } from "../../../services/runtime/exit.ts";
import type { EngineEvent } from "../../rules/stop-intent.ts";
import type { Engine, Found, Slot, Wanted } from "../engine.ts";
import { type Connection, connect, ignoring, inspectSelf, projectOf } from "./connection.ts";
import { Containers, type Listed, type Listing } from "./containers.ts";
import { createWhenFree, removeWhole } from "./create.ts";
import type { Inspected } from "./document.ts";
import { followEvents, replayEvents } from "./events.ts";
import { foundOf } from "./found.ts";
import { bySlot, isBeingRemoved, isPrevious, nameOf, onePerSlot, PREVIOUS_SUFFIX, properName } from "./inspected.ts";
import { lastLines } from "./logs.ts";
import { twinOf } from "./recreate.ts";
import { Runs } from "./runs.ts";
import { parentServices, parentsNow, Templates } from "./templates.ts";

/** What the engine may take to end a container outright. */
const STOP_MARGIN_MS = 20_000;

/** @throws StartupFailure when there is no engine we can use, or no Compose project we are part of */
export async function openDockerEngine(settings: Settings): Promise<Engine> {
  const connection = await connect(settings.DOCKER_SOCKET);
  const self = await inspectSelf(connection);
  const project = projectOf(settings, self);
  if (project === undefined) {
    const fix = "start it with docker compose, or set COMPOSE_PROJECT_NAME to the project to watch";
    throw new StartupFailure(exitCode.settings, `the watchdog is no part of a Compose project: ${fix}`);
  }
  const containers = new Containers(connection.calls, { project, self: self?.Id });
  const networks = new Set(Object.keys(self?.NetworkSettings.Networks ?? {}));
  const templates = new Templates(join(dirname(settings.REGISTRY_FILE), "templates"));
  await templates.open();
  const listing = await containers.list();
  await templates.prune(listing);
  const ownSlot = listing.self?.slot.id;
  return new DockerEngine({ connection, project, containers, networks, templates, self: self?.Id, ownSlot });
}

interface Parts {
  readonly connection: Connection;
  readonly project: string;
  readonly containers: Containers;
  /** The watchdog's own networks: a member is reached on one of them. */
  readonly networks: ReadonlySet<string>;
  readonly templates: Templates;
  readonly self: string | undefined;
  /** The slot that the watchdog itself fills, and does not look after. */
  readonly ownSlot: string | undefined;
}

class DockerEngine implements Engine {
  readonly self: string | undefined;
  readonly project: string;
  readonly membersStay = true;
  readonly #docker: Docker;
  readonly #containers: Containers;
  readonly #templates: Templates;
  readonly #parts: Parts;
  readonly #runs: Runs;
  /** Stops and removals of our own, which speak of nobody's wish. */
  readonly #ours = new Set<string>();
  #tell: (event: EngineEvent) => void = () => {};

  constructor(parts: Parts) {
    this.#parts = parts;
    this.self = parts.self;
    this.project = parts.project;
    this.#docker = parts.connection.calls;
    this.#containers = parts.containers;
    this.#templates = parts.templates;
    this.#runs = new Runs(parts.connection.streams, (event) => this.#hear(event));
  }

  async slots(): Promise<readonly Slot[]> {
    const slots = this.#templates.all.map(({ slot }) => slot);
    return slots.filter(({ id }) => id !== this.#parts.ownSlot).sort(bySlot);
  }

  async list(): Promise<readonly Found[]> {
    const listing = await this.#list();
    const { members, self } = listing;
    const current = onePerSlot(members.filter(({ inspected }) => !isPrevious(inspected)));
    const filled = new Set(current.map(({ slot }) => slot.id));
    // Of a heal that came no further than to move it aside: its successor is made from it.
    const alone = members.filter(({ slot, inspected }) => isPrevious(inspected) && !filled.has(slot.id));
    for (const listed of [...current, ...alone, ...(self ? [self] : [])]) await this.#keep(listed, listing);
    this.#runs.follow(current.map(({ inspected }) => inspected).filter(({ State }) => State.Running));
    const { networks } = this.#parts;
    return [...current, ...alone].map((member) => {
      const told = this.#runs.toldBy(member.inspected);
      return foundOf(member, { listing, told, networks, nowMs: Date.now() });
    });
  }

  async create(slot: Slot, { environment, portMoves = 0, ended }: Wanted): Promise<string> {
    const template = this.#templates.get(slot.id);
    if (template === undefined) throw new Error(`nothing is known of ${slot.id}: run docker compose up -d ${slot.id}`);
    const { inspected } = template;
    const listing = await this.#list();
    const mine = listing.members.filter((member) => member.slot.id === slot.id && !isPrevious(member.inspected));
    const [current] = onePerSlot(mine);
    if (ended && current?.inspected.State.Running) throw new Error("somebody has started it meanwhile");
    const image = await this.#imageOf(inspected);
    if (image === undefined) return this.#asItIs(inspected, current);
    if (current !== undefined) await this.#putAside(current.inspected);
    const body = twinOf(inspected, { image, environment, portMoves, parents: parentsNow(template, listing.all) });
    const name = properName(inspected);
    try {
      return await createWhenFree(this.#docker, name, body);
    } catch (error) {
      // There is no successor for it to stand aside for.
      if (current !== undefined) await this.#rename(current.inspected.Id, name).catch(() => {});
      throw error;
    }
  }

  async start(instance: string): Promise<void> {
    await ignoring([304], this.#docker.getContainer(instance).start());
  }

  async stop(instance: string, deadlineMs: number): Promise<void> {
    this.#ours.add(instance);
    const options = { t: Math.ceil(deadlineMs / 1000), abortSignal: AbortSignal.timeout(deadlineMs + STOP_MARGIN_MS) };
    const container = this.#parts.connection.streams.getContainer(instance);
    await ignoring([304, 404, 409], container.stop(options));
  }

  async remove(instance: string): Promise<void> {
    const previous = await this.#asideFor(instance);
    await this.#removeContainer(instance);
    if (previous !== undefined) await this.#rename(previous.Id, properName(previous));
  }

  async commit(slot: string, deadlineMs: number): Promise<void> {
    const { members } = await this.#list();
    const previous = members.filter((member) => member.slot.id === slot && isPrevious(member.inspected));
    for (const { inspected } of previous) {
      if (inspected.State.Running) await this.stop(inspected.Id, deadlineMs);
      await this.#removeContainer(inspected.Id);
    }
  }

  lastLines(instance: string, count: number): Promise<readonly string[]> {
    return lastLines(this.#docker, instance, count);
  }

  async watch(onEvent: (event: EngineEvent) => void, stop: AbortSignal): Promise<void> {
    this.#tell = onEvent;
    const onDockerEvent = (event: EngineEvent, instance: string) => {
      this.#containers.changed(instance);
      // Started by somebody else, it is theirs to stop.
      if (event.kind === "started") this.#ours.delete(instance);
      this.#hear(event);
    };
    const { connection, project, self } = this.#parts;
    const feed = { docker: connection.streams, project, self, onEvent: onDockerEvent, stop };
    const heardMs = await replayEvents(feed, connection.calls);
    void followEvents(feed, heardMs);
  }

  #hear(event: EngineEvent): void {
    const ours = "instance" in event && this.#ours.has(event.instance);
    this.#tell(ours ? { kind: "changed" } : event);
  }

  /** Containers outlive their watchdog. */
  async close(): Promise<void> {
    const listing = await this.#list().catch(() => undefined);
    // An engine that does not answer now leaves us without word of it, like one whose watchdog died.
    if (listing === undefined) return;
    const { members, self } = listing;
    await this.#templates.close([...members, ...(self ? [self] : [])].map(({ slot }) => slot.id));
  }

  async #list(): Promise<Listing> {
    const listing = await this.#containers.list();
    const ids = new Set(listing.all.map(({ Id }) => Id));
    for (const gone of this.#ours) if (!ids.has(gone)) this.#ours.delete(gone);
    return listing;
  }

  async #keep({ slot, inspected }: Listed, { all }: Listing): Promise<void> {
    const document = inspected as unknown as Inspected;
    const parents = parentServices(document, all);
    await this.#templates.keep({ slot, inspected: { ...document, Name: properName(inspected) }, parents });
  }

  async #putAside({ Id }: Docker.ContainerInspectInfo): Promise<void> {
    // A rename that meets a removal leaves the name taken by nobody until the engine restarts; the removal frees it anyway.
    const now = await ignoring([404], this.#docker.getContainer(Id).inspect());
    if (now === undefined || isBeingRemoved(now)) return;
    await ignoring([404, 409], this.#rename(Id, `${nameOf(now)}${PREVIOUS_SUFFIX}`));
  }

  /** The tag while it means the same image, else the image's id; undefined when that image is gone. */
  async #imageOf({ Config, Image }: Inspected): Promise<string | undefined> {
    const tagged = await ignoring([404], this.#docker.getImage(Config.Image).inspect());
    if (tagged?.Id === Image) return Config.Image;
    return (await ignoring([404], this.#docker.getImage(Image).inspect()))?.Id;
  }

  /** Without its image nothing like it can be made: it is itself all there is, to be started again (watchtower#1385). */
  #asItIs({ Image }: Inspected, current: Listed | undefined): string {
    if (current === undefined)
      throw new Error(`its image ${Image} is gone: build or pull it, and docker compose up -d`);
    return current.inspected.Id;
  }

  /** The one that stands aside for this successor. */
  async #asideFor(instance: string): Promise<Docker.ContainerInspectInfo | undefined> {
    const { members } = await this.#list();
    const successor = members.find(({ inspected }) => inspected.Id === instance);
    if (successor === undefined || isPrevious(successor.inspected)) return undefined;
    return members.find(({ slot, inspected }) => slot.id === successor.slot.id && isPrevious(inspected))?.inspected;
  }

  async #rename(id: string, name: string): Promise<void> {
    await this.#docker.getContainer(id).rename({ name });
    this.#containers.changed(id);
  }

  /** Volumes stay: the successor has them. @throws when it is still there in the end */
  async #removeContainer(id: string): Promise<void> {
    this.#ours.add(id);
    await removeWhole(this.#docker, id);
    this.#containers.changed(id);
  }
}
