// The page's files: its frame, its style sheet and its icon as they stand in the repository, and its script, which the build bundles.
// They are few, and read once.

import { readFileSync } from "node:fs";

export interface PageFile {
  readonly type: string;
  readonly text: string;
}

const TYPES: Readonly<Record<string, string>> = {
  "index.html": "text/html",
  "page.css": "text/css",
  "icon.svg": "image/svg+xml",
  "page.js": "text/javascript",
};

/** In dist/, beside the chunk that this is in; from the sources, here, and the script where the last build has put it. */
const FOLDERS = ["../page/", "../../dist/page/"].map((folder) => new URL(folder, import.meta.url));

/** By name; one that is not there is left out, as the script is before the first build. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  const files = Object.entries(TYPES).flatMap(([name, type]) => {
    const text = textOf(name);
    return text === undefined ? [] : [[name, { type, text }] as const];
  });
  return new Map(files);
}

function textOf(name: string): string | undefined {
  for (const folder of FOLDERS) {
    try {
      return readFileSync(new URL(name, folder), "utf8");
    } catch {
      // It may be in the next one.
    }
  }
  return undefined;
}
