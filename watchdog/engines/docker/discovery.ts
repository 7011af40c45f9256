// Discovery on the Docker engine: the members are the containers that a label of ours says to look after, the slots are those of
// the templates, and events and logs tell of changes. It changes no container.

import { withGroupFaults } from "../../desired/groups-named.ts";
import { poolsOf, withRoutes } from "../../desired/pools.ts";
import { byNumber, reports, type Slot } from "../../desired/slot.ts";
import { mayForward } from "../../rules/member-reports.ts";
import type { Discovery, EngineEvent, Found, OtherVersion } from "../discovery.ts";
import type { Connection } from "./connection.ts";
import { isPrevious, onePerSlot } from "./container-names.ts";
import type { Neighbours } from "./containers/addresses.ts";
import { foundOf } from "./containers/found.ts";
import { makingOf } from "./containers/inspected.ts";
import type { Containers } from "./containers/listing.ts";
import type { Images } from "./images.ts";
import { followEvents, replayEvents } from "./streams/events.ts";
import { lastLines } from "./streams/logs.ts";
import { Runs } from "./streams/runs.ts";
import { isItsStopSignal } from "./streams/stop-signal.ts";
import type { CopiedFiles } from "./twin/copied-files.ts";
import type { Template, Templates } from "./twin/templates.ts";
import type { Versions } from "./twin/versions.ts";

/** The engine remembers 256 events. */
const ENDS_MAX = 256;

interface DiscoveryParts {
  readonly connection: Connection;
  readonly project: string;
  readonly containers: Containers;
  readonly templates: Templates;
  readonly versions: Versions;
  readonly images: Images;
  readonly copied: CopiedFiles;
  /** The watchdog's own networks: a member is reached on one of them. */
  readonly networks: ReadonlySet<string>;
  readonly self: string | undefined;
  /** The slot that the watchdog itself fills, and does not look after. */
  readonly ownSlot: string | undefined;
  /** Containers that the watchdog itself stopped or removed, which is no stop intent. */
  readonly ownEnds: Set<string>;
  /** Slots whose program puts its nonce into its reports. */
  readonly signing: Set<string>;
}

export class DockerDiscovery implements Discovery {
  readonly self: string | undefined;
  readonly project: string;
  readonly membersStay = true;
  readonly #parts: DiscoveryParts;
  readonly #runs: Runs;
  /** The pools, in the order in which they came. */
  #pools: readonly string[] = [];
  /** By instance: from when on it was shown. */
  readonly #shownMs = new Map<string, number>();
  #tell: (event: EngineEvent) => void = () => {};

  constructor(parts: DiscoveryParts) {
    this.#parts = parts;
    this.self = parts.self;
    this.project = parts.project;
    const { connection, signing } = parts;
    this.#runs = new Runs({ docker: connection.streams, signing, tell: (event) => this.#hear(event) });
  }

  async slots(): Promise<readonly Slot[]> {
    const { templates, ownSlot } = this.#parts;
    const all = templates.all.filter(({ slot }) => slot.id !== ownSlot);
    const pools = poolsOf([...all].sort(byCreation).map(({ slot }) => slot));
    const known = this.#pools.filter((pool) => pools.includes(pool));
    this.#pools = [...known, ...pools.filter((pool) => !known.includes(pool))];
    return withRoutes(withGroupFaults(all.map(({ slot }) => slot).sort(bySlot)), this.#pools);
  }

  async list(): Promise<readonly Found[]> {
    const { containers, templates, copied } = this.#parts;
    const listing = await containers.list();
    this.#boundEnds();
    const { members, self } = listing;
    const current = onePerSlot(members.filter(({ inspected }) => !isPrevious(inspected)));
    const filled = new Set(current.map(({ slot }) => slot.id));
    // A heal came no further than to rename it: its successor is made from it.
    const alone = members.filter(({ slot, inspected }) => isPrevious(inspected) && !filled.has(slot.id));
    for (const listed of [...current, ...alone, ...(self ? [self] : [])]) await templates.look(listed, listing);
    for (const { slot, inspected } of current) {
      const paths = copied.known(inspected.Id);
      if (paths !== undefined) await templates.holds(slot.id, paths);
    }
    await templates.mend();
    void copied.learn(current.map(({ inspected }) => inspected));
    this.#runs.follow(current.filter(({ slot, inspected }) => inspected.State.Running && reports(slot)));
    return [...current, ...alone].map((member) => {
      const told = this.#runs.toldBy(member.inspected);
      // A health check's results carry the engine's time, which is this host's.
      const neighbours = this.#neighboursOf(member.slot);
      const { made = [] } = templates.get(member.slot.id) ?? {};
      const shownMs = this.#shownMs.get(member.inspected.Id);
      const found = foundOf(member, { listing, told, neighbours, made, engineMs: Date.now() });
      return shownMs === undefined ? found : { ...found, shownMs };
    });
  }

  /** By the templates: who is in front of it may be about to be made anew. */
  #neighboursOf(slot: Slot): Neighbours {
    const { templates, networks: own } = this.#parts;
    const slots = templates.all.map((template) => template.slot);
    const fronts = templates.all.filter((front) => mayForward(front.slot, slot, slots));
    return {
      fronts: fronts.map(({ inspected }) => new Set(Object.keys(inspected.NetworkSettings.Networks ?? {}))),
      own,
    };
  }

  async formerVersion(service: string, makings: readonly string[]): Promise<OtherVersion> {
    const making = this.#parts.versions.before(service, makings);
    if (making !== undefined) return { kind: "known", making };
    return { kind: "none", reason: `of ${service} no other version than this has worked here` };
  }

  async imageVersion(slot: string): Promise<OtherVersion> {
    const template = this.#parts.templates.get(slot);
    if (template === undefined) return { kind: "none", reason: `nothing is known of ${slot}` };
    const newer = await this.#parts.images.newer(template.inspected);
    return newer.kind === "none" ? newer : { kind: "known", making: makingOf(newer.inspected) };
  }

  removedByUs(instance: string): boolean {
    return this.#parts.ownEnds.has(instance);
  }

  lastLines(instance: string, count: number): Promise<readonly string[]> {
    return lastLines(this.#parts.connection.calls, instance, count);
  }

  async watch(onEvent: (event: EngineEvent) => void, stop: AbortSignal): Promise<void> {
    this.#tell = onEvent;
    const { connection, containers, project, self, ownEnds } = this.#parts;
    /** Of what is told of the past, the start that came before our stop says nothing. */
    const ended = new Set<string>();
    let past = true;
    const onDockerEvent = (heard: EngineEvent, instance: string) => {
      const event = this.#inOurWords(heard);
      containers.changed(instance);
      if (event.kind === "created") this.#shownMs.set(instance, event.engineMs);
      if (event.kind === "removed") this.#shownMs.delete(instance);
      if (event.kind === "died") ended.add(instance);
      // Started by somebody else, it is theirs to stop.
      if (event.kind === "started" && (!past || ended.has(instance))) ownEnds.delete(instance);
      this.#hear(event);
    };
    const feed = { docker: connection.streams, project, self, onEvent: onDockerEvent, stop };
    const heardMs = await replayEvents(feed, connection.calls);
    past = false;
    void followEvents(feed, heardMs);
  }

  /** The signal that its image wants for a stop is TERM to us. */
  #inOurWords(event: EngineEvent): EngineEvent {
    if (event.kind !== "signalled") return event;
    const container = this.#parts.containers.known(event.instance);
    return isItsStopSignal(container, event.signal) ? { ...event, signal: "TERM" } : event;
  }

  #hear(event: EngineEvent): void {
    const isOurs = "instance" in event && this.#parts.ownEnds.has(event.instance);
    this.#tell(isOurs && event.kind !== "removed" ? { kind: "changed" } : event);
  }

  /** The events of one that is gone may be told later than it is seen to be gone, also to the next watchdog. */
  #boundEnds(): void {
    const { ownEnds } = this.#parts;
    for (const id of ownEnds) {
      if (ownEnds.size <= ENDS_MAX) return;
      ownEnds.delete(id);
    }
  }
}

/** Times of the engine's are texts that sort. */
const byCreation = ({ inspected: one }: Template, { inspected: other }: Template) =>
  (one.Created ?? "").localeCompare(other.Created ?? "");

const bySlot = (one: Slot, other: Slot) => byNumber(one.id, other.id);
