// Files that Compose copied into a container before it ran, as it does with secrets and configs given as `content:` or
// `environment:`: which there are, and how a twin gets them. The guardian copies them, so that what they hold never comes here; without
// a guardian before the engine it is done here.

import type { IncomingMessage } from "node:http";
import type Docker from "dockerode";
import { readWithin } from "../../../../services/runtime/bounded-read.ts";
import { ignoring } from "../connection.ts";
import { COPIED_FILES_MAX, copiedAtSeconds, factsIn, isCopied } from "./copied-file.ts";
import { type ArchivedFile, archiveOf, fileIn } from "./tar.ts";

interface EngineError extends Error {
  readonly json?: { readonly message?: string } | null;
}

interface Change {
  readonly Path: string;
  readonly Kind: number;
}

const ADDED = 1;
const SECRETS = "/run/secrets/";
/** Whoever adds more files than that hides those of Compose among them. */
const CHANGES_BYTES_MAX = 1_048_576;
const ARCHIVE_BYTES_MAX = 5 * 1_048_576;
const COPY_WITHIN_MS = 20_000;
const NONE: readonly string[] = [];

export class CopiedFiles {
  readonly #docker: Docker;
  /** Their paths, by container. */
  readonly #known = new Map<string, readonly string[]>();
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

  /** As far as it is known by now. */
  known(id: string): readonly string[] | undefined {
    return this.#known.get(id);
  }

  /** @returns their paths. @param id what is gone holds nothing any more @throws when the engine does not answer */
  async of(id: string): Promise<readonly string[]> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const container = await ignoring([404], this.#docker.getContainer(id).inspect());
    return container === undefined ? NONE : this.#find(container);
  }

  /** From one container of a service into another one of it, which was never started. @throws when not all could be copied */
  async copy(from: string, into: string, paths: readonly string[]): Promise<void> {
    const passed = await this.#copiedByGuardian(from, into, paths);
    if (!passed) await this.#copyHere(from, into, paths);
    this.#known.set(into, paths);
  }

  /** @returns false: there is none, and the engine knows no such call */
  async #copiedByGuardian(from: string, into: string, paths: readonly string[]): Promise<boolean> {
    const call = {
      ...{ path: `/containers/${into}/copied`, method: "POST", options: { from, paths } },
      statusCodes: { 204: true, 403: "refused", 404: "not there", 409: "not copied" },
      abortSignal: AbortSignal.timeout(COPY_WITHIN_MS),
    };
    return new Promise((resolve, reject) => {
      this.#docker.modem.dial(call, (error: EngineError | null) => {
        if (error?.json?.message === "page not found") resolve(false);
        else if (error) reject(error);
        else resolve(true);
      });
    });
  }

  async #copyHere(from: string, into: string, paths: readonly string[]): Promise<void> {
    const files = new Map<string, ArchivedFile>();
    for (const path of paths) {
      const stream = await this.#docker.getContainer(from).getArchive({ path });
      const file = fileIn((await readWithin(stream as AsyncIterable<Buffer>, ARCHIVE_BYTES_MAX)) ?? Buffer.alloc(0));
      if (file === undefined) throw new Error(`${path} cannot be read`);
      files.set(path, file);
    }
    const twin = this.#docker.getContainer(into);
    const archive = archiveOf(files, copiedAtSeconds(await twin.inspect()));
    if (archive === undefined) throw new Error("a path that is too long");
    await twin.putArchive(archive, { path: "/" });
  }

  async #find(container: Docker.ContainerInspectInfo): Promise<readonly string[]> {
    const paths = await this.#look(container);
    this.#known.set(container.Id, paths);
    return paths;
  }

  async #look(container: Docker.ContainerInspectInfo): Promise<readonly string[]> {
    // Nothing can be copied into it, says the engine.
    if (container.HostConfig.ReadonlyRootfs) return NONE;
    const there = this.#docker.getContainer(container.Id);
    const files = (await this.#added(container.Id)).slice(0, COPIED_FILES_MAX);
    const facts = await Promise.all(files.map((path) => ignoring([404], there.infoArchive({ path }))));
    return files.filter((_path, index) => {
      const file = factsOf(facts[index]);
      return file !== undefined && isCopied(file, container);
    });
  }

  /** What the container has that its image has not, secrets first. */
  async #added(id: string): Promise<string[]> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const statusCodes = { 200: true, 404: "no such container", 500: "server error" };
      const call = { path: `/containers/${id}/changes`, method: "GET", isStream: true, statusCodes };
      this.#docker.modem.dial(call, (error, stream) => (error ? reject(error) : resolve(stream as IncomingMessage)));
    });
    const bytes = await readWithin(answer, CHANGES_BYTES_MAX);
    const changes = bytes === undefined ? [] : ((JSON.parse(bytes.toString()) ?? []) as Change[]);
    const paths = changes.filter(({ Kind }) => Kind === ADDED).map(({ Path }) => Path);
    return paths.sort((one, other) => rank(one) - rank(other));
  }
}

/** Secrets first, and then what lies nearest to the root, as configs do. */
function rank(path: string): number {
  return path.startsWith(SECRETS) ? 0 : path.split("/").length;
}

function factsOf(answer: IncomingMessage | undefined) {
  answer?.resume();
  return factsIn(answer?.headers["x-docker-container-path-stat"]);
}
