// The project's own source files as text, and what can be read off them without a compiler: header, imports, words.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface Import {
  /** As written; relative ones as a path from the top, such as services/config.ts. */
  readonly from: string;
  readonly relative: boolean;
  readonly kind: "static" | "type" | "dynamic";
}

export interface Source {
  /** From the top, such as services/config.ts. */
  readonly path: string;
  readonly text: string;
  /** Without comments. */
  readonly bare: string;
  /** Without comments and without what stands in quotes. */
  readonly code: string;
  /** What stands in quotes. */
  readonly strings: readonly string[];
  readonly imports: readonly Import[];
}

/** Every .ts file of these folders. */
export function sourcesOf(...folders: readonly string[]): Source[] {
  return folders.flatMap((folder) => {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    const paths = names.filter((name) => name.endsWith(".ts")).map((name) => join(folder, name));
    return paths.sort().map((path) => sourceOf(path, readFileSync(join(root, path), "utf8")));
  });
}

export function sourceOf(path: string, text: string): Source {
  const strings = [...text.matchAll(PIECES)].flatMap(([piece]) => (/^["']/.test(piece) ? [piece.slice(1, -1)] : []));
  return { path, text, bare: bareOf(text), code: codeOf(text), strings, imports: importsOf(path, text) };
}

/** The comment that opens the file, without its slashes. */
export function headerOf({ text }: Source): string {
  const lines = text.split("\n");
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ""))
    .join("\n");
}

export const isPure = (source: Source): boolean => headerOf(source).startsWith("Pure.");

const PIECES = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(`(?:\\.|[^`\\])*`)|\/\/.*|\/\*[\s\S]*?\*\//g;

/** Quoted text goes and comments go; templates stay, because there is code in them. */
function codeOf(text: string): string {
  return text.replace(PIECES, (_piece, template?: string) => template ?? '""');
}

function bareOf(text: string): string {
  return text.replace(PIECES, (piece) => (piece.startsWith("/") ? "" : piece));
}

function importsOf(path: string, text: string): Import[] {
  const bare = text.replace(/^\s*(?:\/\/|\*|\/\*).*$/gm, "");
  const named = [...bare.matchAll(/^(?:import|export)\s+(type\s)?[^;"]*?from\s+"([^"]+)"/gm)];
  const sideEffects = [...bare.matchAll(/^import\s+"([^"]+)"/gm)];
  const dynamic = [...bare.matchAll(/\bimport\(\s*"([^"]+)"/g)];
  return [
    ...named.map(([, type, from]) => importOf(path, from as string, type ? "type" : "static")),
    ...sideEffects.map(([, from]) => importOf(path, from as string, "static")),
    ...dynamic.map(([, from]) => importOf(path, from as string, "dynamic")),
  ];
}

function importOf(path: string, written: string, kind: Import["kind"]): Import {
  const relative = written.startsWith(".");
  return { from: relative ? normalize(join(dirname(path), written)) : written, relative, kind };
}
