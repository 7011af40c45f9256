// Reverse proxies made of Node's libraries, in the few lines that their manuals show. Stock http-proxy goes by another name in
// package.json, where "http-proxy" is its successor httpxy, which our upgrades go through.

import { createRequire } from "node:module";
import type { Stack } from "./stack.ts";
import { policyOf } from "./stack.ts";

const require = createRequire(import.meta.url);

type Installed = readonly [path: string, version: string];

const libraries: Readonly<Record<"http-proxy" | "http-proxy-middleware", () => Installed>> = {
  "http-proxy": () => [require.resolve("http-proxy-stock"), require("http-proxy-stock/package.json").version],
  "http-proxy-middleware": () => [
    require.resolve("http-proxy-middleware"),
    require("http-proxy-middleware/package.json").version,
  ],
};

/** `program` is node-library-hop.ts as plain JavaScript. */
export function nodeLibrary(library: keyof typeof libraries, program: string): Stack | undefined {
  const installed = find(library);
  if (installed === undefined) return undefined;
  const [path, version] = installed;
  return {
    name: library,
    about: `${library} ${version} on Node ${process.versions.node}`,
    command: async (tier) => {
      const ports = tier.upstreams.map(({ port }) => port).join();
      const parameters = [program, library, path, String(tier.port), policyOf(tier), ports];
      return { program: process.execPath, parameters, port: tier.port };
    },
  };
}

function find(library: keyof typeof libraries): Installed | undefined {
  try {
    return libraries[library]();
  } catch {
    return undefined;
  }
}
