// What a single source file, or the way files import each other, may and may not do. Pure of files: works on sources as text.

import { isPure, type Source } from "./sources.ts";

export const LINES_MAX = 250;

const IMPURE =
  /\b(Date\.now|new Date\(\s*\)|Math\.random|performance|process|setTimeout|setInterval|setImmediate|queueMicrotask|crypto|fetch|console)\b/g;

/** What a Pure file must not do, each as one line. */
export function impurities({ path, code, imports }: Source): string[] {
  const modules = imports.filter(
    ({ kind, from }) => kind !== "type" && (from.startsWith("node:") || from === "undici"),
  );
  const words = code.match(IMPURE) ?? [];
  return [...modules.map(({ from }) => `${path} imports ${from}`), ...words.map((word) => `${path} uses ${word}`)];
}

/** Imports that run code of a file that is not Pure: they would bring in by the back door what is kept out at the front. */
export function impureImports({ path, imports }: Source, byPath: ReadonlyMap<string, Source>): string[] {
  return imports.flatMap(({ from, relative, kind }) => {
    const imported = relative ? byPath.get(from) : undefined;
    return imported && kind !== "type" && !isPure(imported) ? [`${path} imports ${from}`] : [];
  });
}

export function crossings({ path, imports }: Source): string[] {
  return imports.flatMap(({ from, kind }) => {
    const lazily = path === "services/main.ts" && kind === "dynamic";
    return from.startsWith("watchdog/") && !lazily ? [`${path} imports ${from} (${kind})`] : [];
  });
}

/** The first circle of imports, as the files on it. Types count: who needs whom to be understood is the point. */
export function circle(sources: readonly Source[]): readonly string[] {
  const done = new Set<string>();
  const known = new Map(sources.map((source) => [source.path, source]));
  function from(path: string, way: readonly string[]): readonly string[] {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const { from: next, kind } of known.get(path)?.imports ?? []) {
      const found = kind === "dynamic" ? [] : from(next, [...way, path]);
      if (found.length > 0) return found;
    }
    done.add(path);
    return [];
  }
  return sources.map(({ path }) => from(path, [])).find((found) => found.length > 0) ?? [];
}

export const readsEnvironment = ({ code }: Source) =>
  /\bprocess\s*\.\s*env\b|\bprocess\s*\[|\benv\s*}\s*=\s*process\b/.test(code);

export const isBarrel = ({ code }: Source) => /^export\s+(\*|\{[^}]*\}\s+from)/m.test(code);

export const linesOf = ({ text }: Source) => text.trimEnd().split("\n").length;
