// What the documents say is what the code does: the settings, and the commands of README.md's first screen.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { example, exampleFile, readmeFile, withSettings } from "../tools/docs.ts";

test(".env.example is made from the settings table", async () => {
  assert.equal(await readFile(exampleFile, "utf8"), example(), "run `npm run docs`");
});

test("the settings table in README.md is made from the settings table", async () => {
  const readme = await readFile(readmeFile, "utf8");
  assert.equal(readme, withSettings(readme), "run `npm run docs`");
});

test("README.md names no npm script that package.json lacks", async () => {
  const readme = await readFile(readmeFile, "utf8");
  const { scripts } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  const named = [...readme.matchAll(/npm (?:run )?(start|test|run [a-z]+|[a-z]+)\b/g)].map(
    ([, word]) => word as string,
  );
  const own = named.filter((word) => !["ci", "install"].includes(word));
  assert.ok(own.length > 5);
  for (const word of own) assert.ok(word in scripts, `npm run ${word}`);
});
