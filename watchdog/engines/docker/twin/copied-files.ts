// Files that somebody copied into a container before it ran, as Compose does with secrets and configs given as `content:` or
// `environment:`. No twin has them, and inspect does not tell of them: they are known by their times, which Compose gives them in
// whole seconds, between the making of the container and its start.

import type { IncomingMessage } from "node:http";
import type Docker from "dockerode";
import { ignoring } from "../connection.ts";

interface Change {
  readonly Path: string;
  readonly Kind: number;
}

/** What the engine says of a file, in a header. */
export interface FileFacts {
  readonly size: number;
  /** As Go has it: what is no plain file has a bit above the permissions' nine. */
  readonly mode: number;
  readonly mtime: string;
}

/** When a container was made, and when it was started. */
export interface MadeAndStarted {
  readonly Created: string;
  readonly State: { readonly StartedAt: string };
}

const ADDED = 1;
const SECRETS = "/run/secrets/";
/** Whoever adds more files than that hides those of Compose among them. */
const CHANGES_BYTES_MAX = 1_048_576;
const FILES_MAX = 32;
const STARTS_WITHIN_MS = 60_000;
const PLAIN_FILE = 0o777;

export class CopiedFiles {
  readonly #docker: Docker;
  readonly #known = new Map<string, boolean>();
  #learning = false;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  /** Finds out in good time, one after another: the engine may take half a second, for which no heal should wait. */
  async learn(containers: readonly Docker.ContainerInspectInfo[]): Promise<void> {
    if (this.#learning) return;
    this.#learning = true;
    const ids = new Set(containers.map(({ Id }) => Id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    const unknown = containers.filter(({ Id, State }) => State.Running && !this.#known.has(Id));
    for (const container of unknown) await this.#find(container).catch(() => {});
    this.#learning = false;
  }

  /** @param id what is gone holds nothing any more @throws when the engine does not answer */
  async holds(id: string): Promise<boolean> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const container = await ignoring([404], this.#docker.getContainer(id).inspect());
    return container !== undefined && this.#find(container);
  }

  async #find(container: Docker.ContainerInspectInfo): Promise<boolean> {
    const holds = await this.#look(container);
    this.#known.set(container.Id, holds);
    return holds;
  }

  async #look(container: Docker.ContainerInspectInfo): Promise<boolean> {
    // Nothing can be copied into it, says the engine.
    if (container.HostConfig.ReadonlyRootfs) return false;
    const there = this.#docker.getContainer(container.Id);
    const files = (await this.#added(container.Id)).slice(0, FILES_MAX);
    const facts = await Promise.all(files.map((path) => ignoring([404], there.infoArchive({ path }))));
    return facts.map(factsOf).some((file) => file !== undefined && isCopied(file, container));
  }

  /** What the container has that its image has not, secrets first. */
  async #added(id: string): Promise<string[]> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const statusCodes = { 200: true, 404: "no such container", 500: "server error" };
      const call = { path: `/containers/${id}/changes`, method: "GET", isStream: true, statusCodes };
      this.#docker.modem.dial(call, (error, stream) => (error ? reject(error) : resolve(stream as IncomingMessage)));
    });
    const text = await textWithin(CHANGES_BYTES_MAX, answer);
    const changes = text === undefined ? [] : ((JSON.parse(text) ?? []) as Change[]);
    const paths = changes.filter(({ Kind }) => Kind === ADDED).map(({ Path }) => Path);
    return paths.sort((one, other) => rank(one) - rank(other));
  }
}

/** An empty file is the place of a mount. Whoever writes a file in a container that runs hardly ever hits a whole second. */
export function isCopied({ size, mode, mtime }: FileFacts, { Created, State }: MadeAndStarted): boolean {
  const [atMs, createdMs, startedMs] = [mtime, Created, State.StartedAt].map(Date.parse) as [number, number, number];
  if (size === 0 || mode > PLAIN_FILE || mtime.includes(".")) return false;
  // Rounded to the nearest second.
  return atMs > createdMs - 1_000 && atMs <= Math.min(startedMs, createdMs + STARTS_WITHIN_MS) + 500;
}

/** Secrets first, and then what lies nearest to the root, as configs do. */
function rank(path: string): number {
  return path.startsWith(SECRETS) ? 0 : path.split("/").length;
}

function factsOf(answer: IncomingMessage | undefined): FileFacts | undefined {
  answer?.resume();
  const said = answer?.headers["x-docker-container-path-stat"];
  return typeof said === "string" ? (JSON.parse(Buffer.from(said, "base64").toString()) as FileFacts) : undefined;
}

/** @returns undefined when there is more */
async function textWithin(bytesMax: number, stream: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let count = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    count += piece.length;
    if (count > bytesMax) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}
