// Reverse proxies made of Node's libraries, in the few lines that their manuals show: http-proxy (as installed here, httpxy) and
// http-proxy-middleware where it is installed.

import { createRequire } from "node:module";
import type { Stack } from "./stack.ts";
import { policyOf } from "./stack.ts";

const require = createRequire(import.meta.url);

/** `program` is node-library-hop.ts as plain JavaScript. */
export function nodeLibrary(library: "http-proxy" | "http-proxy-middleware", program: string): Stack | undefined {
  const path = pathOf(library);
  if (path === undefined) return undefined;
  return {
    name: library,
    about: library === "http-proxy" ? "http-proxy (httpxy)" : library,
    command: async (tier) => {
      const ports = tier.upstreams.map(({ port }) => port).join();
      const parameters = [program, library, path, String(tier.port), policyOf(tier), ports];
      return { program: process.execPath, parameters, port: tier.port };
    },
  };
}

function pathOf(library: string): string | undefined {
  try {
    return require.resolve(library);
  } catch {
    return undefined;
  }
}
