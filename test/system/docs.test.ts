// What the documents say is what the code does: their tables are made from it, their commands are run, and what they point to is there.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { settingsTable } from "../../services/runtime/settings-table.ts";
import { sourcesOf } from "../tools/architecture/sources.ts";
import { commands, commandsBy, commandsIn, documentedCommands } from "../tools/docs/commands.ts";
import { reader, runCommand, startCommand } from "../tools/docs/run-command.ts";
import { tables } from "../tools/docs/tables.ts";
import { namesEntered, namesInWalk } from "../tools/docs/walk.ts";
import { documents, generated, read, root, tablesIn } from "../tools/docs.ts";

const README_LINES_MAX = 150;
/** Against a system that runs, and then in a checkout where nothing does. */
const BESIDE_A_SYSTEM = [
  "npm run client -- 7",
  "npm run ctl -- status",
  "npm run ctl -- doctor",
  "curl -s -X POST -H 'Content-Type: application/json' http://127.0.0.1:8404/api/v1/slots/server-3/heal",
  "npm run chaos -- --minutes 5",
];
const STARTS = ["npm ci && npm start", "npm start"];

const texts = new Map(await Promise.all(documents().map(async (path) => [path, await read(path)] as const)));

test(`README.md has at most ${README_LINES_MAX} lines`, () => {
  const lines = texts.get("README.md")?.trimEnd().split("\n").length ?? 0;
  assert.ok(lines > 50 && lines <= README_LINES_MAX, `${lines} lines`);
});

test("every table of the documents and .env.example are as the code has them", async () => {
  for (const { path, text } of await generated()) assert.equal(await read(path), text, `${path}: run \`npm run docs\``);
});

test("every table that the code can make stands in one document", () => {
  const shown = [...texts.values()].flatMap(tablesIn);
  assert.deepEqual(shown.sort(), Object.keys(tables).sort());
});

test("every command in a document has a row that says how it is run, and every row its command", async () => {
  assert.deepEqual([...(await documentedCommands())].sort(), Object.keys(commands).sort());
});

test("a command is found behind its sign, without its remark", () => {
  const document =
    "```console\n$ npm test -- a#b      # all\noutput\n```\n```sh\n# first\nnpm ci\n```\n```json\n$ no\n```\n";
  assert.deepEqual(commandsIn(document), ["npm test -- a#b", "npm ci"]);
});

test("the commands that CI itself runs stand in .ci/run, and those of other tests in these", async () => {
  const script = (await read(".ci/run")).split("\n");
  for (const command of commandsBy("ci")) assert.ok(script.includes(command), command);
  const elsewhere = Object.entries(commands).filter(([, { by }]) => by.startsWith("test/"));
  assert.deepEqual(
    elsewhere.filter(([, { by }]) => !existsSync(join(root, by))),
    [],
  );
});

test("the commands without Docker do what the documents say", async (t) => {
  const own = await reader(t, "evenkeel-docs");
  for (const command of STARTS) {
    const end = await startCommand(t, own, command);
    if (command === STARTS[0]) for (const beside of BESIDE_A_SYSTEM) await runCommand(own, beside);
    await end();
  }
  const done = new Set([...STARTS, ...BESIDE_A_SYSTEM]);
  for (const command of commandsBy("processes")) if (!done.has(command)) await runCommand(own, command);
  assert.equal(existsSync(join(own.directory, "dist")), false, "the last of them is npm run clean");
});

test("every link in a document leads to a file and a heading that are there", () => {
  const dead = [...texts].flatMap(([path, text]) =>
    linksIn(text)
      .filter((link) => !leadsSomewhere(path, link))
      .map((link) => `${path}: ${link}`),
  );
  assert.deepEqual(dead, []);
});

test("every file of ours that a document names is there", () => {
  const named = [...texts].flatMap(([path, text]) => {
    const files = text.matchAll(/`((?:services|watchdog|test|bench|examples)\/[\w./-]*\w\.(?:ts|sh|yaml|mjs))`/g);
    return [...files].map(([, file]) => `${path}: ${file}`);
  });
  assert.ok(named.length > 20);
  assert.deepEqual(
    named.filter((each) => !existsSync(join(root, each.split(": ")[1] as string))),
    [],
  );
});

test("the file map of docs/architecture.md has every folder of the code", () => {
  const folders = new Set(sourcesOf("services", "watchdog").map(({ path }) => `${dirname(path)}/`));
  const mapped = [...(texts.get("docs/architecture.md") ?? "").matchAll(/^\| `((?:services|watchdog)\/[\w/-]*)` \|/gm)];
  assert.deepEqual(mapped.map(([, folder]) => folder).sort(), [...folders].sort());
});

test("the walk of a request has the files that a GET enters, each once", async (t) => {
  const named = namesInWalk(texts.get("docs/architecture.md") ?? "");
  assert.deepEqual(named.sort(), (await namesEntered(t)).sort());
});

test("the settings of an example are settings, and may stand in .env", async () => {
  const names = [...(await readFile(join(root, "examples/settings/.env"), "utf8")).matchAll(/^([A-Z_]+)=/gm)];
  assert.ok(names.length > 3);
  for (const [, name] of names) assert.ok((name as string) in settingsTable, name);
});

function linksIn(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`\n]*`/g, "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string);
  return links.filter((link) => !/^https?:/.test(link));
}

function leadsSomewhere(from: string, link: string): boolean {
  const [path = "", heading] = link.split("#");
  const file = path === "" ? from : normalize(join(dirname(from), path));
  if (!existsSync(join(root, file))) return false;
  return heading === undefined || headingsIn(texts.get(file) ?? "").includes(heading);
}

/** As GitHub names them. */
function headingsIn(text: string): string[] {
  const titles = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title as string);
  return titles.map((title) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
