// Pure. The members on a Swarm, by what its manager answers: (tasks, services, nodes, our own networks) -> slots and who fills them.
// A member is a task, and its slot ends with it: in an update two tasks of one number live side by side for some seconds.
//
//   task \ wanted        | running            | anything else
//   before running       | created            | out
//   running              | running            | running, draining
//   complete, failed ... | out                | out
//
// On a node that the manager calls down, whatever runs drains: it may answer, and is about to be replaced elsewhere.

import { poolsOf, withRoutes } from "../../desired/pools.ts";
import { byNumber, type Slot } from "../../desired/slot.ts";
import { mayForward } from "../../rules/member-reports.ts";
import type { Found, Life, ObservedRoll } from "../discovery.ts";
import { type Addresses, addressesOf } from "../docker/containers/addresses.ts";
import type { ReportTerms } from "../report-terms.ts";
import type { SwarmNode, SwarmService, SwarmTask } from "./answers.ts";
import { bareNameOf, type KnownService, knownService, type ServiceKind } from "./services.ts";
import { updateOf } from "./updates.ts";

export interface ManagerAnswers {
  readonly tasks: readonly SwarmTask[];
  readonly services: readonly SwarmService[];
  readonly nodes: readonly SwarmNode[];
}

export interface Standpoint {
  readonly stack: string;
  /** The watchdog's own networks, by name. None: it is no container, and reaches all. */
  readonly networks: ReadonlySet<string>;
}

export interface SwarmMembers {
  readonly slots: readonly Slot[];
  readonly found: readonly Found[];
  readonly rolls: readonly ObservedRoll[];
  readonly reporters: readonly Reporter[];
}

/** A task of a tier of ours, which says on its stdout whom it cannot reach. */
export interface Reporter {
  readonly task: string;
  readonly slot: string;
  readonly terms: ReportTerms;
}

/** States before a task runs, in their order (moby api/types/swarm/task.go); in the last its health check has yet to pass. */
const BEFORE_RUNNING = new Set([
  "new",
  "allocated",
  "pending",
  "assigned",
  "accepted",
  "preparing",
  "ready",
  "starting",
]);
/** So much of a task's id tells it from the others of its number. */
const ID_SHOWN = 5;
const HOST_NAME_LENGTH = 12;
/** An application's first page may take its time. */
const ANY_ANSWER_MS = 2_000;

/** Does it run, or is it about to? */
export function isLiving({ Status, DesiredState }: SwarmTask): boolean {
  return Status.State === "running" || (BEFORE_RUNNING.has(Status.State) && DesiredState === "running");
}

export function swarmMembers({ tasks, services, nodes }: ManagerAnswers, standpoint: Standpoint): SwarmMembers {
  const known = new Map([...services].sort(byCreation).map((each) => [each.ID, knownService(each, standpoint.stack)]));
  const byNode = new Map(nodes.map((node) => [node.ID, node]));
  const seats = tasks.filter(isLiving).flatMap((task): Seat[] => {
    const service = known.get(task.ServiceID);
    if (service?.is.kind !== "member") return [];
    const node = byNode.get(task.NodeID ?? "");
    return [{ task, node, is: service.is, slot: slotOf(task, node, { ...service, is: service.is }) }];
  });
  const slots = [...seats.map(({ slot }) => slot), ...[...known.values()].flatMap(faultySlot)];
  const rank = new Map([...known.values()].map(({ name }, index) => [name, index]));
  const age = ({ service = "" }: Slot) => rank.get(service) ?? 0;
  const pools = poolsOf([...slots].sort((one, other) => age(one) - age(other)));
  const networks = new Networks(seats, standpoint);
  return {
    slots: withRoutes(slots.sort(bySlot), pools),
    found: seats.map((seat) => foundOf(seat, networks.addressesOf(seat))),
    reporters: seats.flatMap((seat) => reporterOf(seat) ?? []),
    rolls: services.flatMap((service) => rollOf(service, known.get(service.ID), seats) ?? []),
  };
}

/** Its start has made up no nonce for it, so that it takes its host's name: a container's is its id, unless somebody chose another one. */
function reporterOf({ task, is, slot }: Seat): Reporter | undefined {
  const { port, adminPort } = is.ports;
  if (is.role === "server" || port === undefined || adminPort === undefined) return undefined;
  if (task.Status.State !== "running") return undefined;
  const chosen = task.Spec.ContainerSpec?.Hostname;
  const own = chosen ? undefined : task.Status.ContainerStatus?.ContainerID?.slice(0, HOST_NAME_LENGTH);
  const nonce = is.nonce ?? own;
  const ports = { traffic: new Set([port]), admin: new Set([adminPort]) };
  return { task: task.ID, slot: slot.id, terms: { nonce, mayOmit: is.nonce === undefined, ports } };
}

/** Those that are about to go are of it no more. */
function rollOf(
  service: SwarmService,
  known: KnownService | undefined,
  seats: readonly Seat[],
): ObservedRoll | undefined {
  if (known?.is.kind !== "member" || service.UpdateStatus === undefined) return undefined;
  const own = seats.filter(({ task }) => task.ServiceID === service.ID && task.DesiredState === "running");
  return updateOf(
    service,
    known.name,
    own.map(({ task, slot }) => ({ task, slot: slot.id })),
  );
}

type Member = Extract<ServiceKind, { kind: "member" }>;

/** A task of a service that takes requests. */
interface Seat {
  readonly task: SwarmTask;
  readonly node: SwarmNode | undefined;
  readonly is: Member;
  readonly slot: Slot;
}

function slotOf(
  { ID, Slot }: SwarmTask,
  node: SwarmNode | undefined,
  { name, is: { role, group, labels } }: KnownService & { readonly is: Member },
): Slot {
  const number = Slot || nameOf(node);
  return {
    id: `${name}-${number}.${ID.slice(0, ID_SHOWN)}`,
    service: name,
    role,
    ...(labels && { labels }),
    ...(group !== undefined && { group }),
  };
}

/** One for all of its tasks: they have the fault in common. */
function faultySlot({ name, is }: KnownService): Slot[] {
  return is.kind === "faulty" ? [{ id: name, service: name, role: "server", faults: is.faults }] : [];
}

function foundOf({ task, node, is, slot }: Seat, addresses: Addresses): Found {
  const { ID, DesiredState, Spec } = task;
  const image = Spec.ContainerSpec?.Image;
  const runs = task.Status.State === "running";
  const isDown = node?.Status.State === "down";
  return {
    slot: slot.id,
    instance: ID,
    ours: false,
    life: lifeOf(task),
    node: { name: nameOf(node), ...(isDown && { down: true as const }) },
    ports: is.ports,
    ...(is.ports.adminPort === undefined && checkOf(is)),
    ...addresses,
    // A task runs, by Swarm's word, once its own health check has passed or there is none.
    ...(runs && { healthy: true as const }),
    passesOwnCheck: runs,
    unhealthy: false,
    draining: runs && (DesiredState !== "running" || isDown),
    unheard: { bytes: 0, reports: 0 },
    stranded: false,
    overlaps: true,
    ...(image !== undefined && { image }),
    ...(addresses.host === undefined && { obstacle: noWayTo(slot) }),
  };
}

function lifeOf({ Status, CreatedAt }: SwarmTask): Life {
  const madeMs = Date.parse(CreatedAt);
  // It runs once: a task that has ended is followed by another one.
  if (Status.State === "running") return { kind: "running", sinceMs: madeMs };
  return { kind: "created", madeMs, ...(Status.Err && { error: Status.Err }) };
}

function checkOf({ labels }: Member): Pick<Found, "check" | "startMs"> {
  const { health: path, healthTimeoutMs, startMs } = labels ?? {};
  const timeoutMs = healthTimeoutMs ?? (path === undefined ? ANY_ANSWER_MS : undefined);
  return { check: { ...(path && { path }), ...(timeoutMs && { timeoutMs }) }, ...(startMs && { startMs }) };
}

/** Which address of a task is which, by who is in front of it. The tasks of one service are on the same networks. */
class Networks {
  readonly #standpoint: Standpoint;
  readonly #services: ReadonlyMap<string | undefined, Seat>;
  /** By service: the networks of each service in front. */
  readonly #fronts = new Map<string | undefined, readonly ReadonlySet<string>[]>();

  constructor(seats: readonly Seat[], standpoint: Standpoint) {
    this.#standpoint = standpoint;
    this.#services = new Map(seats.map((seat) => [seat.slot.service, seat]));
  }

  addressesOf({ task, slot }: Seat): Addresses {
    const { stack, networks: own } = this.#standpoint;
    const wanted = slot.labels?.network;
    const there = [...networksOf(task)].filter(
      ([name]) => wanted === undefined || name === wanted || bareNameOf(name, stack) === wanted,
    );
    const endpoints = there.map(([name, IPAddress]) => [name, { IPAddress }] as const);
    return addressesOf(Object.fromEntries(endpoints), { fronts: this.#frontsOf(slot), own });
  }

  #frontsOf(slot: Slot): readonly ReadonlySet<string>[] {
    const known = this.#fronts.get(slot.service);
    if (known !== undefined) return known;
    const seats = [...this.#services.values()];
    const slots = seats.map((seat) => seat.slot);
    const inFront = seats.filter((seat) => mayForward(seat.slot, slot, slots));
    const fronts = inFront.map(({ task }) => new Set(networksOf(task).keys()));
    this.#fronts.set(slot.service, fronts);
    return fronts;
  }
}

/** Its address on each of its networks, but for the one of published ports. */
function networksOf({ NetworksAttachments }: SwarmTask): ReadonlyMap<string, string> {
  const attached = (NetworksAttachments ?? []).filter(({ Network }) => !Network.Spec.Ingress);
  return new Map(
    attached.flatMap(({ Network, Addresses }) => {
      const [address] = Addresses ?? [];
      return address === undefined ? [] : [[Network.Spec.Name, address.split("/", 1)[0] as string] as const];
    }),
  );
}

function noWayTo({ service, labels }: Slot): string {
  const network = labels?.network;
  return network === undefined
    ? `${service} is on no network that the watchdog is on too: give both one under networks`
    : `${service} is not on the network ${network}: mend evenkeel.network or its networks`;
}

function nameOf(node: SwarmNode | undefined): string {
  return node?.Description?.Hostname || node?.ID || "nowhere";
}

const bySlot = (one: Slot, other: Slot) => byNumber(one.id, other.id);

/** Times of the manager's are texts that sort. */
const byCreation = (one: SwarmService, other: SwarmService) => one.CreatedAt.localeCompare(other.CreatedAt);
