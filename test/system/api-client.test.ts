// A client in TypeScript that is generated from the document which a running system serves: it compiles, reads, heals a member and
// follows the order to its end, scales nobody, and gets its problems typed.

import assert from "node:assert/strict";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../tools/docs.ts";
import { compileClient, generateTypes } from "../tools/generated-client.ts";
import { must } from "../tools/process/programs.ts";
import { startSystem } from "../tools/process/system.ts";
import { temporaryDirectory } from "../tools/registry.ts";

/** As a user would write it: every path, name and type in it comes from the document. */
const PROGRAM = `
import createClient from "openapi-fetch";
import type { components, paths } from "./evenkeel.d.ts";

type Order = components["schemas"]["Order"];
const baseUrl = process.argv[2] as string;
const api = createClient<paths>({ baseUrl, headers: { "Content-Type": "application/json" } });

async function ended(order: string): Promise<Order> {
  for (;;) {
    const { data } = await api.GET("/api/v1/orders/{order}", { params: { path: { order } } });
    if (data !== undefined && data.endedAt !== null) return data;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const { data: before } = await api.GET("/api/v1/state");
const slots = before?.slots.map(({ slot }) => slot);
const heal = { params: { path: { slot: "server-4" }, header: { "Idempotency-Key": "once" } } };
const first = await api.POST("/api/v1/slots/{slot}/heal", heal);
const again = await api.POST("/api/v1/slots/{slot}/heal", heal);
const order = await ended(first.data?.id ?? "");
const stream = await api.GET("/api/v1/orders/{order}/events", { params: { path: { order: order.id } }, parseAs: "text" });
const incident = await api.GET("/api/v1/incidents/{number}", { params: { path: { number: order.incident ?? 0 } } });
const scale = await api.POST("/api/v1/services/{service}/scale", {
  params: { path: { service: "server" } },
  body: { replicas: 3 },
});
console.log(
  JSON.stringify({
    slots,
    location: first.response.headers.get("location"),
    isSame: first.data?.id === again.data?.id,
    order,
    stream: stream.data,
    outcome: incident.data?.outcome,
    scaled: [scale.response.status, scale.error?.type],
  }),
);
`;

test("a generated client reads, heals, follows and is refused, against a running system", async (t) => {
  const system = await startSystem(t);
  const url = `http://127.0.0.1:${system.watchdogPort}`;
  const directory = await temporaryDirectory(t);
  await symlink(join(root, "node_modules"), join(directory, "node_modules"));
  await writeFile(join(directory, "package.json"), '{"type":"module"}');
  await writeFile(join(directory, "client.ts"), PROGRAM);
  await generateTypes(directory, `${url}/api/openapi.json`, "evenkeel.d.ts");
  const compiled = await compileClient(directory, "client.ts", "node");
  assert.deepEqual(compiled, { code: 0, stdout: "", stderr: "" });
  const { slots, location, isSame, order, stream, outcome, scaled } = JSON.parse(
    (await must(process.execPath, ["--import", "tsx", "client.ts", url], { cwd: directory })).stdout,
  );
  assert.ok(slots.includes("server-4"), slots);
  assert.deepEqual([location, isSame], [`/api/v1/orders/${order.id}`, true]);
  assert.deepEqual([order.kind, order.subject, order.status, outcome], ["heal", "server-4", "done", "healed"]);
  const statuses = [...stream.matchAll(/"status":"([a-z-]+)"/g)].map(([, status]) => status);
  assert.deepEqual([statuses[0], statuses.at(-1)], ["accepted", "done"]);
  assert.deepEqual(scaled, [404, "urn:evenkeel:problem:not-found"]);
});
