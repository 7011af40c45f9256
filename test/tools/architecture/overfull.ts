// Folders that hold more than their row in rooms.ts allows.

import { dirname } from "node:path";
import { FILES_MAX, rooms } from "./rooms.ts";

/** Folders with more files than their row allows. */
export function overfull(paths: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const path of paths) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  return [...counts].flatMap(([folder, count]) => {
    const [max] = rooms[folder]?.files ?? [FILES_MAX];
    return count > max ? [`${folder}: ${count} files`] : [];
  });
}
