// A Swarm manager with so many tasks, on a Unix socket, as a process of its own: what it costs is not the discovery's. Its answers are
// written once; it says its socket, and how large a list of tasks is.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { swarmNode, swarmService, swarmTask } from "../../test/tools/swarm/answers.ts";

export interface ManagerTold {
  readonly socket: string;
  readonly bytes: number;
}

const NODES_EACH = 50;
const directory = await mkdtemp(join(tmpdir(), "evenkeel-bench-"));
const socket = join(directory, "docker.sock");
const count = Number(process.argv[2]);
const tasks = Array.from({ length: count }, (_, index) => {
  const node = `node-${index % Math.ceil(count / NODES_EACH)}`;
  const addresses = { ek_mesh: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}` };
  const task = swarmTask({ id: `t${100_000 + index}`, slot: index + 1, node, addresses, container: "0".repeat(64) });
  // With an environment as an app's, a task is some 2 KB, as on a real Swarm.
  const Env = Array.from({ length: 20 }, (_, at) => `SETTING_${at}=${"x".repeat(40)}`);
  return { ...task, Spec: { ...task.Spec, ContainerSpec: { ...task.Spec.ContainerSpec, Env } } };
});
const nodes = Array.from({ length: Math.ceil(count / NODES_EACH) }, (_, index) => swarmNode(`node-${index}`));
const answers: Readonly<Record<string, string>> = {
  "/version": JSON.stringify({ ApiVersion: "1.45", Version: "26.1.5" }),
  "/tasks": JSON.stringify(tasks),
  "/services": JSON.stringify([swarmService("app", { labels: { "evenkeel.port": "3000" } })]),
  "/nodes": JSON.stringify(nodes),
};
createServer(({ url = "" }, response) => {
  const path = url.replace(/^\/v[\d.]+/, "").replace(/\?.*/, "");
  response.writeHead(200, { "Content-Type": "application/json" }).end(answers[path] ?? "[]");
}).listen(socket, () => {
  const told: ManagerTold = { socket, bytes: Buffer.byteLength(answers["/tasks"] as string) };
  process.send?.(told);
});
process.on("disconnect", () => void rm(directory, { recursive: true }).finally(() => process.exit()));
