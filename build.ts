// Builds dist/: each program as one entry, what several of them need in chunks beside it, libraries included. A member that
// is started in place of a dead one has a dozen files to read instead of six hundred, so it serves sooner. Nothing is
// minified: a stack trace names our functions. (Source maps would be read whole at each start, which takes longer than
// all the code does.) Types are checked by `npm run check`.

import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { build, type Metafile } from "esbuild";

/** What libraries that are CommonJS find around them. */
const FOR_COMMONJS =
  'import { createRequire } from "node:module"; const { dirname: __dirname } = import.meta, require = createRequire(import.meta.url);';

/** Made beside, and put in the place of the one before when it is whole: a system may be running from that, and starts members from it. */
const NEXT = `dist.${process.pid}`;
const BEFORE = `${NEXT}.before`;

const { metafile } = await build({
  entryPoints: [
    "services/main.ts",
    "services/client/client.ts",
    "watchdog/ctl/watchdogctl.ts",
    "watchdog/chaos/chaos.ts",
  ],
  outdir: NEXT,
  outbase: ".",
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  banner: { js: FOR_COMMONJS },
  // Compiled parts that ssh2, a library of dockerode's, does without where it does not find them.
  external: ["*.node", "cpu-features"],
  metafile: true,
  logLevel: "warning",
});
await build({
  entryPoints: ["watchdog/page/browser/page.ts"],
  outdir: `${NEXT}/page`,
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  logLevel: "warning",
});
for (const file of ["index.html", "page.css", "icon.svg"])
  copyFileSync(`watchdog/page/${file}`, `${NEXT}/page/${file}`);
writeFileSync(`${NEXT}/LICENSES.txt`, licensesOf(metafile));
if (existsSync("dist")) renameSync("dist", BEFORE);
renameSync(NEXT, "dist");
rmSync(BEFORE, { recursive: true, force: true });

/** The terms of every library in the bundle, which want to go with it. */
function licensesOf({ inputs }: Metafile): string {
  const folders = Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []);
  return [...new Set(folders)].sort().map(licenseOf).join("\n");
}

function licenseOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const texts = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  const terms = texts.map((file) => readFileSync(`${folder}/${file}`, "utf8").trim());
  return `---- ${name} ${version} (${license})\n\n${terms.join("\n\n")}\n`;
}
