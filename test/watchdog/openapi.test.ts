// The OpenAPI document: it is valid and has no fault that a linter finds, a client that is generated from it compiles, and the page that
// people read is made from it and asks nobody for anything.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import supertest from "supertest";
import { operationList } from "../../watchdog/api/v1/contract/operations.ts";
import { problemNames, typeOf } from "../../watchdog/api/v1/contract/problems.ts";
import { compileClient, generateTypes } from "../tools/generated-client.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { apiApp } from "../tools/watchdog/api.ts";

const served = async () => (await supertest(apiApp()).get("/api/openapi.json").expect(200)).body;

async function faults(document: object): Promise<string[]> {
  const config = await createConfig({ extends: ["recommended-strict"] });
  const found = await lintFromString({ source: JSON.stringify(document), config });
  return found.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

test("a linter finds nothing in the document, and finds what is broken in it", async () => {
  const document = await served();
  assert.equal(document.openapi, "3.1.1");
  assert.deepEqual(await faults(document), []);
  delete document.components.schemas.Slot;
  assert.match((await faults(document)).join("\n"), /no-unresolved-refs/);
});

test("the document has every operation, and every problem's type", async () => {
  const { paths, components } = await served();
  for (const [name, { method, path }] of operationList())
    assert.equal(paths[`/api/v1${path}`][method].operationId, name);
  assert.deepEqual(components.schemas.Problem.properties.type.enum, problemNames.map(typeOf));
});

test("a client that is generated from the document compiles, and one that misuses it does not", async (t) => {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, "openapi.json"), JSON.stringify(await served()));
  await generateTypes(directory, "openapi.json", "schema.d.ts");
  await writeFile(join(directory, "client.ts"), `${HEAD}\n${FINE}`);
  assert.deepEqual(await compileClient(directory, "client.ts"), { code: 0, stdout: "", stderr: "" });
  await writeFile(join(directory, "client.ts"), `${HEAD}\n${MISUSED}`);
  const { code, stdout } = await compileClient(directory, "client.ts");
  assert.notEqual(code, 0);
  assert.equal([...stdout.matchAll(/error TS/g)].length, 3, stdout);
});

const HEAD = `
import type { components, paths } from "./schema.d.ts";
type Order = components["schemas"]["Order"];
type Taken = paths["/api/v1/services/{service}/scale"]["post"]["responses"]["202"]["content"]["application/json"];
export const idOf = ({ id }: Taken): string => id;
`;
const FINE = `
export const isOver = ({ status, endedAt }: Order): boolean => status === "done" && endedAt !== null;
export const wanted: components["schemas"]["ScaleOrder"] = { replicas: 3 };
`;
const MISUSED = `
export const isOver = ({ status }: Order): boolean => status === "finished";
export const wanted: components["schemas"]["ScaleOrder"] = { replicas: "3" };
export const name = (order: Order): string => order.name;
`;

test("/api/docs lists every operation and problem, has no script, and asks nobody for anything", async () => {
  const { text, headers } = await supertest(apiApp())
    .get("/api/docs")
    .expect(200)
    .expect("Content-Type", /text\/html/);
  for (const [, { method, path }] of operationList())
    assert.ok(text.includes(`${method.toUpperCase()} /api/v1${path}`), path);
  for (const name of problemNames) assert.ok(text.includes(typeOf(name)), name);
  assert.match(headers["content-security-policy"] ?? "", /default-src 'none'/);
  assert.doesNotMatch(text, /<script|<link|<img|\bsrc=|url\(|@import/);
  const links = [...text.matchAll(/href="([^"]*)"/g)].map(([, href]) => href as string);
  assert.ok(links.every((href) => href.startsWith("#") || href === "/api/openapi.json"));
  for (const href of links.filter((each) => each.startsWith("#")))
    assert.ok(text.includes(`id="${href.slice(1)}"`), href);
});
