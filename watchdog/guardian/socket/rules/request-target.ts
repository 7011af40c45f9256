// Pure. The target of a request to a filtered socket, read strictly: what could be read in two ways is no target. What goes to
// the engine is written anew from what was read here.

/** From the oldest to the newest that the watchdog speaks (engines/docker/connection.ts): older ones take more than they say. */
const MINOR = { least: 44, most: 51 };
/** Nothing that a path or a proxy could take for something else: no `%`, no `..`, no empty part. */
const PATH = /^(?:\/[A-Za-z0-9_:@][A-Za-z0-9_.:@-]*)+$/;
const VERSION = /^\/v1\.(\d{1,3})(?=\/)/;
const VALUE_BYTES_MAX = 4_096;

export interface RequestTarget {
  /** As it stands before the path, such as `/v1.45`; empty where there is none. */
  readonly version: string;
  readonly path: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** @returns why it is none, as text */
export function targetOf(url: string): RequestTarget | string {
  const [whole = "", query = "", ...more] = url.split("?");
  if (more.length > 0) return "a second question mark";
  const [version = "", minor] = VERSION.exec(whole) ?? [];
  if (minor !== undefined && (Number(minor) < MINOR.least || Number(minor) > MINOR.most))
    return `a version of the API that is none of 1.${MINOR.least} to 1.${MINOR.most}`;
  const path = whole.slice(version.length);
  if (!PATH.test(path) || path.includes("..")) return "a path with more than names in it";
  const parameters = parametersOf(query);
  return parameters === undefined ? "a parameter twice, or one too long" : { version, path, parameters };
}

/** @returns the target as it goes to the engine */
export function targetText(version: string, path: string, parameters: ReadonlyMap<string, string> = new Map()): string {
  const query = new URLSearchParams([...parameters]).toString();
  return `${version}${path}${query && `?${query}`}`;
}

function parametersOf(query: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (parameters.has(name) || value.length > VALUE_BYTES_MAX) return undefined;
    parameters.set(name, value);
  }
  return parameters;
}
