// The runner on the Docker engine: a successor is the twin of the container before it, which is renamed and kept until the
// successor is committed or removed.

import type Docker from "dockerode";
import { type Slot, serviceOf } from "../../desired/slot.ts";
import { newNonce } from "../report-terms.ts";
import type { Runner, Wanted } from "../runner.ts";
import { composeLabel } from "./compose-labels.ts";
import { type Connection, ignoring } from "./connection.ts";
import { isPrevious, nameOf, onePerSlot, PREVIOUS_SUFFIX, properName } from "./container-names.ts";
import type { Inspected } from "./containers/document.ts";
import { hasNonce, isBeingRemoved, makingOf } from "./containers/inspected.ts";
import type { Containers, Listed } from "./containers/listing.ts";
import type { Images } from "./images.ts";
import type { CopiedFiles } from "./twin/copied-files.ts";
import { createWhenFree, removeWhole } from "./twin/create.ts";
import { twinOf } from "./twin/recreate.ts";
import { templateFor } from "./twin/template-for.ts";
import { parentsNow, type Template, type Templates } from "./twin/templates.ts";
import type { Versions } from "./twin/versions.ts";

/** How long the engine may take to end a container outright. */
const STOP_MARGIN_MS = 20_000;

interface RunnerParts {
  readonly connection: Connection;
  readonly containers: Containers;
  readonly templates: Templates;
  readonly versions: Versions;
  readonly images: Images;
  readonly copied: CopiedFiles;
  /** Told of each container that is about to be stopped or removed here. */
  readonly ownEnds: Set<string>;
  /** Slots whose program puts its nonce into its reports: only to such a one it is of use. */
  readonly signing: ReadonlySet<string>;
}

export class DockerRunner implements Runner {
  readonly #parts: RunnerParts;
  readonly #docker: Docker;

  constructor(parts: RunnerParts) {
    this.#parts = parts;
    this.#docker = parts.connection.calls;
  }

  async create(slot: Slot, wanted: Wanted): Promise<string> {
    const { environment, portMoves = 0, replaces, from, ended } = wanted;
    const { containers, templates } = this.#parts;
    if (replaces?.instance !== undefined) containers.changed(replaces.instance);
    const listing = await containers.list();
    const { members, all } = listing;
    const inSlot = members.filter((member) => member.slot.id === slot.id);
    const mine = inSlot.filter(({ inspected }) => !isPrevious(inspected));
    const [current] = onePerSlot(mine);
    assertReplaced(replaces, current ?? inSlot[0]);
    if (ended && current?.inspected.State.Running) throw new Error("somebody has started it meanwhile");
    // It may have been changed since the last round.
    const filling = current ?? inSlot[0];
    if (filling !== undefined) await templates.look(filling, listing);
    const template = await templateFor(this.#parts, slot, wanted);
    if (template === undefined) throw new Error(`nothing is known of ${from ?? slot.id}: run docker compose up -d`);
    const { inspected } = template;
    assertOwnName(inspected, from === slot.id ? undefined : templates.get(from ?? "")?.inspected);
    const image = await this.#imageOf(inspected);
    if (image === undefined) return asItIs(inspected, current);
    // What an interrupted `docker compose up` was about to remove has the name that the successor needs.
    for (const one of mine) if (one !== current) await this.#removeEnded(one);
    if (current !== undefined) await this.#makePrevious(current.inspected);
    const variables = { ...environment, ...this.#nonceFor(template) };
    const body = twinOf(inspected, { image, environment: variables, portMoves, parents: parentsNow(template, all) });
    const name = properName(inspected);
    try {
      const successor = await createWhenFree(this.#docker, name, body);
      await templates.made(slot.id, successor, { slot, inspected, parents: template.parents });
      const source = from === undefined ? filling : members.find((member) => member.slot.id === from);
      await this.#passOn({ successor, template, source, members, wanted });
      return successor;
    } catch (error) {
      // There is no successor: it has its place again.
      if (current !== undefined) await this.#rename(current.inspected.Id, name).catch(() => {});
      throw error;
    }
  }

  async start(instance: string): Promise<void> {
    await ignoring([304], this.#docker.getContainer(instance).start());
  }

  /** Where the engine does not say, a twin will do. */
  async isUnique(instance: string): Promise<boolean> {
    return (await this.#copiedIn(instance)).length > 0;
  }

  async stop(instance: string, deadlineMs: number): Promise<void> {
    this.#parts.ownEnds.add(instance);
    await this.#parts.templates.ending(instance);
    const options = { t: Math.ceil(deadlineMs / 1000), abortSignal: AbortSignal.timeout(deadlineMs + STOP_MARGIN_MS) };
    const container = this.#parts.connection.streams.getContainer(instance);
    await ignoring([304, 404, 409], container.stop(options));
  }

  async remove(instance: string): Promise<void> {
    const previous = await this.#previousOf(instance);
    await this.#removeContainer(instance);
    if (previous !== undefined) await this.#rename(previous.Id, properName(previous));
  }

  async commit(slot: string, deadlineMs: number): Promise<void> {
    const { members } = await this.#parts.containers.list();
    const previous = members.filter((member) => member.slot.id === slot && isPrevious(member.inspected));
    for (const { inspected } of previous) {
      if (inspected.State.Running) await this.stop(inspected.Id, deadlineMs);
      await this.#removeContainer(inspected.Id);
    }
  }

  async keepVersion(slot: string, making: string): Promise<void> {
    const { templates, versions } = this.#parts;
    const template = templates.get(slot);
    if (template !== undefined && makingOf(template.inspected) === making)
      await versions.keep(serviceOf(template.slot), template);
  }

  async forget(slot: string): Promise<void> {
    await this.#parts.templates.forget(slot);
  }

  /** Containers outlive their watchdog, which leaves word of those that were there. */
  async close(): Promise<void> {
    const listing = await this.#parts.containers.list().catch(() => undefined);
    // An engine that does not answer now leaves us without word of it, like one whose watchdog died.
    if (listing === undefined) return;
    const { members, self } = listing;
    await this.#parts.templates.close([...members, ...(self ? [self] : [])].map(({ slot }) => slot.id));
  }

  /** What Compose had copied into the container before, or into another replica made alike, comes into the successor. */
  async #passOn({ successor, template, source, members, wanted }: PassingOn): Promise<void> {
    const isFormer = wanted.version !== undefined;
    let lost = template.copied ?? [];
    const alike = lost.length > 0 || isFormer ? members.filter((member) => isMadeAlike(member, template)) : [];
    const likeliest = source === undefined ? alike : isFormer ? [...alike, source] : [source, ...alike];
    for (const { inspected } of likeliest) {
      const paths = await this.#copiedIn(inspected.Id);
      if (paths.length === 0) continue;
      const failure = await this.#parts.copied.copy(inspected.Id, successor, paths).catch(() => paths);
      if (failure === undefined) return;
      lost = failure;
    }
    const service = template.inspected.Config.Labels?.[composeLabel.service];
    const fix = `docker compose up -d --force-recreate ${service}`;
    if (lost.length > 0) wanted.onLost?.(`secrets or configs that Compose had copied in (${lost.join(", ")}): ${fix}`);
  }

  /** None where the engine does not say. */
  #copiedIn(instance: string): Promise<readonly string[]> {
    return this.#parts.copied.of(instance).catch(() => []);
  }

  #nonceFor({ slot, inspected }: Template): { readonly REPORT_NONCE?: string } {
    const isOfUse = hasNonce(inspected.Config.Env) || this.#parts.signing.has(slot.id);
    return isOfUse ? { REPORT_NONCE: newNonce() } : {};
  }

  async #makePrevious({ Id }: Docker.ContainerInspectInfo): Promise<void> {
    // A rename that meets a removal leaves the name taken by nobody until the engine restarts; the removal frees it anyway.
    const now = await ignoring([404], this.#docker.getContainer(Id).inspect());
    if (now === undefined || isBeingRemoved(now)) return;
    await ignoring([404, 409], this.#rename(Id, `${nameOf(now)}${PREVIOUS_SUFFIX}`));
  }

  /** @throws when it runs: then it is somebody's */
  async #removeEnded({ inspected: { Id, State } }: Listed): Promise<void> {
    if (State.Running) throw new Error("somebody has started another one in its slot");
    await this.#removeContainer(Id);
  }

  /** The tag while it means the same image, else the image's id; undefined when that image is gone. */
  async #imageOf({ Config, Image }: Inspected): Promise<string | undefined> {
    const tagged = await ignoring([404], this.#docker.getImage(Config.Image).inspect());
    if (tagged?.Id === Image) return Config.Image;
    return (await ignoring([404], this.#docker.getImage(Image).inspect()))?.Id;
  }

  /** The container that is kept while this successor is verified. */
  async #previousOf(instance: string): Promise<Docker.ContainerInspectInfo | undefined> {
    const { members } = await this.#parts.containers.list();
    const successor = members.find(({ inspected }) => inspected.Id === instance);
    if (successor === undefined || isPrevious(successor.inspected)) return undefined;
    return members.find(({ slot, inspected }) => slot.id === successor.slot.id && isPrevious(inspected))?.inspected;
  }

  async #rename(id: string, name: string): Promise<void> {
    await this.#docker.getContainer(id).rename({ name });
    this.#parts.containers.changed(id);
  }

  /** Volumes stay: the successor has them. @throws when it is still there in the end */
  async #removeContainer(id: string): Promise<void> {
    this.#parts.ownEnds.add(id);
    // What somebody else has removed is not to be taken for our doing, when that is heard.
    if (!(await removeWhole(this.#docker, id))) this.#parts.ownEnds.delete(id);
    this.#parts.containers.changed(id);
  }
}

interface PassingOn {
  readonly successor: string;
  readonly template: Template;
  /** What the successor is made like. */
  readonly source: Listed | undefined;
  readonly members: readonly Listed[];
  readonly wanted: Wanted;
}

function isMadeAlike({ slot, inspected }: Listed, template: Template): boolean {
  return serviceOf(slot) === serviceOf(template.slot) && makingOf(inspected) === makingOf(template.inspected);
}

/** That nothing fills the slot any more is no surprise to a heal. @throws when another one does than the caller knows of */
function assertReplaced(replaces: Wanted["replaces"], filling: Listed | undefined): void {
  if (replaces === undefined || filling === undefined || replaces.instance === filling.inspected.Id) return;
  throw new Error("somebody has put another one in its place meanwhile");
}

/** @throws when both are called the same: then there can be one alone */
function assertOwnName(inspected: Inspected, original: Inspected | undefined): void {
  if (original === undefined || properName(original) !== properName(inspected)) return;
  const service = original.Config.Labels?.[composeLabel.service];
  throw new Error(`${service} has a name of its own (container_name), so there can be one alone`);
}

/** Without its image nothing like it can be made: it is itself all there is, to be started again (watchtower#1385). */
function asItIs({ Image }: Inspected, current: Listed | undefined): string {
  if (current === undefined) throw new Error(`its image ${Image} is gone: build or pull it, and docker compose up -d`);
  return current.inspected.Id;
}
