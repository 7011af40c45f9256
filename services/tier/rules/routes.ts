// Pure. Routes: which pool a request is for, by its host and its path. The most exact host wins, then the longest path; a host whose
// routes do not have the path falls through to those of any host.

import type { Destination } from "./request-rules.ts";

export interface Route {
  /** In lower case; `*.b.org`: any name below b.org; absent: any. */
  readonly host?: string | undefined;
  /** `/api` is /api and all below it; `/`: any. */
  readonly path: string;
}

interface PathTo<Target> {
  readonly path: string;
  readonly target: Target;
}

export class RouteTable<Target> {
  /** With one route that takes everything nothing is looked at. */
  readonly #all: Target | undefined;
  readonly #exact = new Map<string, PathTo<Target>[]>();
  /** By what follows the asterisk, the longest first. */
  readonly #below: (readonly [suffix: string, PathTo<Target>[]])[];
  readonly #any: PathTo<Target>[] = [];

  /** Of two that are the same the first wins. */
  constructor(entries: readonly (readonly [Route, Target])[]) {
    const [first] = entries;
    this.#all = entries.length === 1 && first !== undefined && isCatchAll(first[0]) ? first[1] : undefined;
    const below = new Map<string, PathTo<Target>[]>();
    for (const [{ host, path }, target] of entries) {
      if (host === undefined) this.#any.push({ path, target });
      else if (host.startsWith("*")) listIn(below, host.slice(1)).push({ path, target });
      else listIn(this.#exact, host).push({ path, target });
    }
    this.#below = [...below].sort(([one], [other]) => other.length - one.length);
    for (const paths of [...this.#exact.values(), ...below.values(), this.#any]) paths.sort(byLength);
  }

  /** @returns undefined where no route leads */
  find({ host, path }: Destination): Target | undefined {
    if (this.#all !== undefined) return this.#all;
    const name = nameOf(host);
    return this.#ofName(name, path) ?? match(this.#any, path);
  }

  #ofName(name: string, path: string): Target | undefined {
    const exact = match(this.#exact.get(name), path);
    if (exact !== undefined) return exact;
    for (const [suffix, paths] of this.#below) {
      const target = name.endsWith(suffix) && name.length > suffix.length ? match(paths, path) : undefined;
      if (target !== undefined) return target;
    }
    return undefined;
  }
}

/** `/api/x?y` without `/api` is `/x?y`. A path that is not below it stays. */
export function withoutPrefix(path: string, prefix: string): string {
  if (prefix === "/" || !isBelow(path, prefix)) return path;
  const rest = path.slice(prefix.endsWith("/") ? prefix.length - 1 : prefix.length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function isCatchAll({ host, path }: Route): boolean {
  return host === undefined && path === "/";
}

/** Host and :authority are one name, however they are written (RFC 3986 section 3.2.2, RFC 9110 section 4.2.3). */
function nameOf(host: string | undefined): string {
  if (host === undefined) return "";
  const name = host.toLowerCase().replace(/:\d*$/, "");
  return name.endsWith(".") ? name.slice(0, -1) : name;
}

function match<Target>(paths: readonly PathTo<Target>[] | undefined, path: string): Target | undefined {
  return paths?.find((one) => isBelow(path, one.path))?.target;
}

function isBelow(path: string, prefix: string): boolean {
  if (prefix === "/") return true;
  if (!path.startsWith(prefix)) return false;
  const next = path[prefix.length];
  return prefix.endsWith("/") || next === undefined || next === "/" || next === "?";
}

function byLength(one: { readonly path: string }, other: { readonly path: string }): number {
  return other.path.length - one.path.length;
}

function listIn<Item>(lists: Map<string, Item[]>, key: string): Item[] {
  const known = lists.get(key);
  if (known !== undefined) return known;
  const made: Item[] = [];
  lists.set(key, made);
  return made;
}
