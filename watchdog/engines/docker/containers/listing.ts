// Lists the containers of one Compose project, each inspected: anew where the listing or an event says that something changed,
// from memory otherwise. It changes none of them.

import type Docker from "dockerode";
import { monotonicMs } from "../../../../services/runtime/clock.ts";
import type { Slot } from "../../../desired/slot.ts";
import { NOT_ONE_OFF, ofProject } from "../compose-labels.ts";
import { ignoring } from "../connection.ts";
import { slotOf } from "./slot.ts";
import { slotPerService } from "./slot-clash.ts";

/** A container of the project that is ours to look after. */
export interface Listed {
  readonly slot: Slot;
  readonly inspected: Docker.ContainerInspectInfo;
}

export interface Listing {
  /** Those that are ours to look after, previous ones too, but for the watchdog itself. */
  readonly members: readonly Listed[];
  /** The watchdog itself, when it runs in one of them. */
  readonly self: Listed | undefined;
  /** When the engine was asked, by monotonicMs(). */
  readonly begunMs: number;
  /** All of them, whatever they are. */
  readonly all: readonly Docker.ContainerInspectInfo[];
}

export class Containers {
  readonly #docker: Docker;
  readonly #project: string;
  readonly #self: string | undefined;
  /** By id and what the listing says of it: inspected anew when that changes, or an event names it. */
  readonly #inspections = new Map<string, { readonly mark: string; readonly info: Docker.ContainerInspectInfo }>();

  /** @param self the id of the container that the watchdog runs in */
  constructor(docker: Docker, { project, self }: { readonly project: string; readonly self: string | undefined }) {
    this.#docker = docker;
    this.#project = project;
    this.#self = self;
  }

  async list(): Promise<Listing> {
    const begunMs = monotonicMs();
    const filters = { label: [ofProject(this.#project), NOT_ONE_OFF] };
    const containers = await this.#docker.listContainers({ all: true, filters });
    const ids = new Set(containers.map(({ Id }) => Id));
    for (const known of this.#inspections.keys()) if (!ids.has(known)) this.#inspections.delete(known);
    const inspected = await Promise.all(containers.map((container) => this.#inspect(container)));
    const all = inspected.filter((info) => info !== undefined);
    const listed = slotPerService(
      all.flatMap((info) => {
        const slot = slotOf(info);
        return slot === undefined ? [] : [{ slot, inspected: info }];
      }),
    );
    const isSelf = ({ inspected }: Listed) => inspected.Id === this.#self;
    return { members: listed.filter((one) => !isSelf(one)), self: listed.find(isSelf), begunMs, all };
  }

  /** As it was inspected last; undefined: it is to be inspected anew. */
  known(id: string): Docker.ContainerInspectInfo | undefined {
    return this.#inspections.get(id)?.info;
  }

  /** Something has happened to it. */
  changed(id: string): void {
    this.#inspections.delete(id);
  }

  /** undefined: it went between the listing and the look. */
  async #inspect({
    Id,
    State,
    Status,
    Names,
    NetworkSettings,
  }: Docker.ContainerInfo): Promise<Docker.ContainerInspectInfo | undefined> {
    // "Up 3 minutes (healthy)" also tells of a restart that no event told of. A start that fails changes nothing here and
    // sends no event, so one that is only created is looked at each time; and so is one whose health check fails, for the
    // time of its last failure.
    const endpoints = Object.values(NetworkSettings?.Networks ?? {}).map(({ EndpointID }) => EndpointID);
    const mark = `${State} ${Status} ${Names.join()} ${endpoints.join()}`;
    const known = this.#inspections.get(Id);
    if (known?.mark === mark && State !== "created" && !Status.includes("(unhealthy)")) return known.info;
    const info = await ignoring([404], this.#docker.getContainer(Id).inspect());
    if (info !== undefined) this.#inspections.set(Id, { mark, info });
    return info;
  }
}
