// The bench's own programs as plain JavaScript: they run without a compiler in them, like everything that they are compared with.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";

export interface Programs {
  readonly standIn: string;
  readonly libraryHop: string;
}

export async function compilePrograms(folder: string): Promise<Programs> {
  const sources = [
    new URL("./origin-stand-in.ts", import.meta.url),
    new URL("./stacks/node-library-hop.ts", import.meta.url),
  ];
  await build({
    entryPoints: sources.map((url) => fileURLToPath(url)),
    entryNames: "[name]",
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "warning",
  });
  await stop();
  return { standIn: join(folder, "origin-stand-in.mjs"), libraryHop: join(folder, "node-library-hop.mjs") };
}
