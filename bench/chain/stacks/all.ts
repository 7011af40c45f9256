// Which stacks take part: ours from one or more builds, and the others as far as they are on this machine.

import type { Options } from "../options.ts";
import type { Programs } from "../programs.ts";
import { versionOf } from "../tools.ts";
import { caddy } from "./caddy.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";
import { nodeLibrary } from "./node-library.ts";
import { oursFrom } from "./ours.ts";
import type { Stack } from "./stack.ts";

export interface Stacks {
  readonly stacks: readonly Stack[];
  /** Names of those that are not on this machine. */
  readonly missing: readonly string[];
}

/** @throws Error for a build that is not there, and for a chain that has no such name */
export async function stacksFor(options: Options, { libraryHop }: Programs): Promise<Stacks> {
  const builds = [{ dist: options.dist, label: "ours" }, ...options.against];
  const others = new Map<string, () => Stack | undefined>([
    ...(
      [
        ["nginx", nginx],
        ["haproxy", haproxy],
        ["caddy", caddy],
      ] as const
    ).map(([name, make]) => [name, () => installed(name, make)] as const),
    ...(["http-proxy", "http-proxy-middleware"] as const).map(
      (name) => [name, () => nodeLibrary(name, libraryHop)] as const,
    ),
  ]);
  const known = [...builds.map(({ label }) => label), ...others.keys()];
  const unknown = options.chains?.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`--chains ${unknown}: there is no such chain; there are ${known.join(" ")}`);
  const wanted = known.filter((name) => options.chains?.includes(name) ?? true);
  const ours = builds.filter(({ label }) => wanted.includes(label)).map(({ dist, label }) => oursFrom(dist, label));
  const found = wanted.flatMap((name) => others.get(name)?.() ?? []);
  const stacks = [...(await Promise.all(ours)), ...found];
  const missing = wanted.filter((name) => !stacks.some((stack) => stack.name === name));
  return { stacks, missing };
}

function installed(name: "nginx" | "haproxy" | "caddy", make: (version: string) => Stack): Stack | undefined {
  const version = versionOf(name);
  return version === undefined ? undefined : make(version);
}
