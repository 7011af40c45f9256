// What is written about the settings, made from their table: `.env.example` and the table in README.md.
// `npm run docs` writes both; test/docs.test.ts fails when they are out of date.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { exampleEnvironment, settingsTable } from "../../services/runtime/config.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const exampleFile = `${root}.env.example`;
export const readmeFile = `${root}README.md`;
export const example = exampleEnvironment;

const BEGIN = "<!-- settings: made from services/config.ts by `npm run docs` -->\n";
const END = "<!-- /settings -->";

/** README.md with the table as it has to be. */
export function withSettings(readme: string): string {
  const begin = readme.indexOf(BEGIN) + BEGIN.length;
  const end = readme.indexOf(END);
  return readme.slice(0, begin) + settingsMarkdown() + readme.slice(end);
}

function settingsMarkdown(): string {
  const rows = Object.entries(settingsTable).map(([name, entry]) => {
    const fallback = "fallback" in entry ? `\`${entry.fallback}\`` : "";
    return `| \`${name}\` | ${fallback} | ${entry.about} |\n`;
  });
  return `| setting | default | what it is |\n| --- | --- | --- |\n${rows.join("")}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await writeFile(exampleFile, exampleEnvironment());
  await writeFile(readmeFile, withSettings(await readFile(readmeFile, "utf8")));
}
