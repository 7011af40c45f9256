// deploy/swarm/stack.yaml as Docker reads it: no word of it is dropped, and what it says of each service is what the watchdog looks for.
// No Swarm is needed; test/docker/swarm deploys it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { knownService } from "../../watchdog/engines/swarm/services.ts";
import { repository, dockerSkip as skip } from "../tools/docker/docker.ts";
import { must } from "../tools/process/programs.ts";

interface StackService {
  readonly environment: Readonly<Record<string, string>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly stop_grace_period: string;
  readonly ports?: readonly { readonly mode: string; readonly target: number }[];
  readonly deploy: {
    readonly mode?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly endpoint_mode: string;
    readonly update_config: { readonly order: string };
    readonly placement?: { readonly constraints?: readonly string[] };
  };
}

const FILE = join(repository, "deploy/swarm/stack.yaml");
let services: Readonly<Record<string, StackService>> = {};

before(async () => {
  if (skip) return;
  const config = ["compose", "--project-name", "ek", "--file", FILE, "config", "--format", "json"];
  services = (JSON.parse((await must("docker", config)).stdout) as { services: typeof services }).services;
});

test("docker stack takes the file, without a word about what it would leave out", { skip }, async () => {
  const { stderr } = await must("docker", ["stack", "config", "--compose-file", FILE]);
  assert.equal(stderr, "");
});

test("each service is to the watchdog what its ROLE says, at the ports that it is given", { skip }, () => {
  const kinds = Object.entries(services).map(([name, { environment, deploy }]) => {
    const Env = Object.entries(environment).map(([variable, value]) => `${variable}=${value}`);
    const TaskTemplate = { ContainerSpec: { Env, Labels: {} } };
    const service = { ID: name, CreatedAt: "", Spec: { Name: `ek_${name}`, Labels: deploy.labels, TaskTemplate } };
    const { is } = knownService(service, "ek");
    return [name, is.kind === "member" ? `${is.role} ${is.ports.port} ${is.ports.adminPort}` : is.kind];
  });
  assert.deepEqual(Object.fromEntries(kinds), {
    balancer: "balancer 8080 9101",
    proxy: "proxy 8081 9101",
    server: "server 9001 9101",
    watchdog: "none",
  });
});

test("each task's ID is the name of its member in the registry", { skip }, () => {
  const id = (name: string, number: string) => `${name}-{{.${number}}}.{{printf "%.5s" .Task.ID}}`;
  const ids = Object.entries(services).map(([name, { environment }]) => [name, environment.ID]);
  assert.deepEqual(Object.fromEntries(ids), {
    balancer: id("balancer", "Node.Hostname"),
    proxy: id("proxy", "Node.Hostname"),
    server: id("server", "Task.Slot"),
    watchdog: "watchdog",
  });
});

test("all but the balancer, which has a port of the host, start a successor before its predecessor stops", {
  skip,
}, () => {
  for (const [name, { deploy, ports }] of Object.entries(services)) {
    const isBalancer = name === "balancer";
    assert.equal(deploy.update_config.order, isBalancer ? "stop-first" : "start-first", name);
    assert.equal(deploy.mode ?? "replicated", isBalancer || name === "proxy" ? "global" : "replicated", name);
    assert.deepEqual(
      (ports ?? []).map(({ mode, target }) => [mode, target]),
      isBalancer ? [["host", 8080]] : [],
    );
  }
});

test("none may write to its image, has a capability it needs not, or stands behind an address of Swarm's", {
  skip,
}, () => {
  for (const [name, { read_only, cap_drop, deploy }] of Object.entries(services))
    assert.deepEqual([read_only, cap_drop, deploy.endpoint_mode], [true, ["ALL"], "dnsrr"], name);
  assert.deepEqual(services.watchdog?.deploy.placement?.constraints, ["node.role == manager"]);
});
