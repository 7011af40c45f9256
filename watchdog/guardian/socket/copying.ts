// Copies into a new container what Compose had copied into another one of its service: secrets and configs given as `content:` or
// `environment:`. It goes from the engine to the engine; the watchdog, which asks for it, never sees what is in them.

import type { ContainerInspectInfo } from "dockerode";
import { COPIED_FILES_MAX, copiedAtSeconds, factsIn, isCopied } from "../../engines/docker/twin/copied-file.ts";
import { type ArchivedFile, archiveOf, fileIn } from "../../engines/docker/twin/tar.ts";
import type { EngineClient } from "./engine-client.ts";
import { targetText } from "./rules/request-target.ts";
import { type CallSubject, type FilterScope, whyNotChange } from "./rules/subject.ts";

const FILE_BYTES_MAX = 4 * 1024 * 1024;

interface CopySide {
  readonly subject: CallSubject;
  readonly inspected: ContainerInspectInfo;
}

export interface Copying {
  readonly engine: EngineClient;
  readonly version: string;
  readonly signal: AbortSignal;
  readonly from: CopySide;
  readonly into: CopySide;
}

/** @returns the reason */
export function whyNotCopy({ from, into }: Pick<Copying, "from" | "into">, scope: FilterScope): string | undefined {
  const reason = whyNotChange(from.subject, scope) ?? whyNotChange(into.subject, scope);
  if (reason !== undefined) return reason;
  if (from.subject.service !== into.subject.service) return "a file of another service's";
  return into.inspected.State.Status === "created" ? undefined : "a container that has been started";
}

/** @returns the paths in what a caller asks for; undefined: they are none */
export function pathsIn(paths: unknown): readonly string[] | undefined {
  const sound = Array.isArray(paths) && paths.length > 0 && paths.length <= COPIED_FILES_MAX;
  return sound && paths.every((path) => typeof path === "string" && /^\/[^\0]{1,255}$/.test(path)) ? paths : undefined;
}

/** All of them or none. @returns why not @throws when the engine does not answer */
export async function copyFiles(copying: Copying, paths: readonly string[]): Promise<string | undefined> {
  const { engine, version, signal, from, into } = copying;
  const files = new Map<string, ArchivedFile>();
  for (const path of paths) {
    const target = targetText(version, `/containers/${from.subject.id}/archive`, new Map([["path", path]]));
    const { headers, statusCode } = (await engine.send({ method: "HEAD", target, signal })).resume();
    const facts = statusCode === 200 ? factsIn(headers["x-docker-container-path-stat"]) : undefined;
    if (facts === undefined) return `there is no ${path} any more`;
    if (facts.size > FILE_BYTES_MAX) return `${path} is larger than ${FILE_BYTES_MAX} bytes`;
    if (!isCopied(facts, from.inspected)) return `nobody copied ${path} there`;
    const file = fileIn((await engine.read({ method: "GET", target, signal })).bytes);
    if (file === undefined) return `${path} cannot be read`;
    files.set(path, file);
  }
  const archive = archiveOf(files, copiedAtSeconds(into.inspected));
  if (archive === undefined) return "a path that is too long";
  const target = targetText(version, `/containers/${into.subject.id}/archive`, new Map([["path", "/"]]));
  const { status, bytes } = await engine.read({ method: "PUT", target, archive, signal });
  return status === 200 ? undefined : bytes.toString().slice(0, 200);
}
