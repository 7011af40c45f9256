// What is written in the documents and stands in the code already: tables between markers in any Markdown file,
// `.env.example` and the JSON schema of the labels.
// `npm run docs` writes them; test/system/docs.test.ts fails when they are out of date.

import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { exampleEnvironment } from "./docs/example-environment.ts";
import { labelSchema } from "./docs/label-schema.ts";
import { tables } from "./docs/tables.ts";

export const root = fileURLToPath(new URL("../../", import.meta.url));
const exampleFile = ".env.example";
const labelSchemaFile = "docs/labels.schema.json";
const NEVER_DOCUMENTS = new Set(["node_modules", "dist", ".git", ".evenkeel"]);
/** `<!-- generated: settings -->`, the table, `<!-- /generated -->`. */
const GENERATED = /(<!-- generated: ([a-z-]+) -->\n)[\s\S]*?(<!-- \/generated -->)/g;

/** Every Markdown file of the checkout, as a path from its top. */
export function documents(folder = root): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !NEVER_DOCUMENTS.has(name));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return documents(path);
    return entry.name.endsWith(".md") ? [relative(root, path)] : [];
  });
}

/** The names of the tables that a document holds. */
export function tablesIn(document: string): string[] {
  return [...document.matchAll(GENERATED)].map(([, , name]) => name as string);
}

/** The document with its tables as they have to be. @throws for a table that nobody makes */
export async function withTables(document: string): Promise<string> {
  const made = new Map<string, string>();
  for (const name of tablesIn(document)) {
    const make = tables[name as keyof typeof tables];
    if (make === undefined)
      throw new Error(`nothing makes the table ${name}: test/tools/docs/tables.ts has those there are`);
    made.set(name, await make());
  }
  return document.replace(GENERATED, (_all, begin, name, end) => `${begin}${made.get(name)}${end}`);
}

/** Each generated file with its text as it has to be. */
export async function generated(): Promise<{ path: string; text: string }[]> {
  const texts = documents().map(async (path) => ({ path, text: await withTables(await read(path)) }));
  return [
    { path: exampleFile, text: exampleEnvironment() },
    { path: labelSchemaFile, text: `${JSON.stringify(labelSchema(), undefined, 2)}\n` },
    ...(await Promise.all(texts)),
  ];
}

export function read(path: string): Promise<string> {
  return readFile(join(root, path), "utf8");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, text } of await generated())
    if (text !== (await read(path))) await writeFile(join(root, path), text);
}
