// What the table of rooms (rooms.ts) says of a file's imports, and what the table itself has to be like.

import { dirname } from "node:path";
import { type Room, rooms } from "./rooms.ts";
import { isPure, type Source } from "./sources.ts";

/** The room of a file: the nearest row above it. */
export function roomOf(path: string): string {
  for (let place = path; place !== "."; place = dirname(place)) if (place in rooms) return place;
  return "no room";
}

/** Imports that the table does not have, as `file > file`. */
export function strangers({ path, imports }: Source, byPath: ReadonlyMap<string, Source>): string[] {
  const own = roomOf(path);
  const may = new Set(rooms[own]?.may ?? []);
  return imports.flatMap(({ from, relative, kind }) => {
    if (!relative || kind === "dynamic" || roomOf(from) === own || from === "package.json") return [];
    const imported = byPath.get(from);
    const harmless = kind === "type" || (imported !== undefined && isPure(imported));
    const allowed = may.has(from) || may.has(roomOf(from)) || (harmless && may.has(`${roomOf(from)} (pure)`));
    return allowed ? [] : [`${path} > ${from}`];
  });
}

/** Uses of node:http or undici in a room that may not, as `file > module`. */
export function foreignHttp({ path, imports }: Source): string[] {
  const rule = rooms[roomOf(path)]?.nodeHttp;
  const isHttp = ({ from }: { from: string }) => /^(node:https?|undici)$/.test(from);
  return rule === "never" ? imports.filter(isHttp).map(({ from }) => `${path} > ${from}`) : [];
}

/** Rows that name a row below themselves or none at all. */
export function disorder(table: Readonly<Record<string, Pick<Room, "may">>>): string[] {
  const order = Object.keys(table);
  return Object.entries(table).flatMap(([room, { may }]) =>
    may
      .map((one) => one.replace(" (pure)", ""))
      .filter((one) => {
        const row = order.includes(one) ? one : roomOf(one);
        return !order.includes(row) || order.indexOf(row) >= order.indexOf(room);
      })
      .map((one) => `${room} > ${one}`),
  );
}
