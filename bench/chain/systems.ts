// Systems: one stack's tiers, started over the same servers as every other stack's, and stopped together.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Child, Children } from "./children.ts";
import { freePorts } from "./ports.ts";
import type { Stage } from "./scenarios.ts";
import type { Stack, Tier, Upstream } from "./stacks/stack.ts";

const PROXIES = 2;

export interface System {
  readonly stack: Stack;
  /** Where clients reach it. */
  readonly port: number;
  readonly children: readonly Child[];
  readonly pids: readonly number[];
  /** The same processes, and what each is. */
  readonly tiers: readonly { readonly role: Tier["role"]; readonly pid: number }[];
}

export interface Ground {
  readonly children: Children;
  readonly stage: Stage;
  /** Of the servers. */
  readonly ports: readonly number[];
  readonly folder: string;
}

/** Members first, so that the balancer finds them. Rejects when one does not start; what has started is then stopped. */
export async function startSystem(stack: Stack, ground: Ground): Promise<System> {
  const started: Child[] = [];
  const tiers: { role: Tier["role"]; pid: number }[] = [];
  const start: Start = async (tier) => {
    const [port, adminPort] = (await freePorts(2)) as [number, number];
    const folder = join(ground.folder, `${stack.name}-${tier.id}-${port}`);
    await mkdir(folder);
    const { connectionsMax } = ground.stage;
    const whole = { ...tier, port, adminPort, folder, ...(connectionsMax === undefined ? {} : { connectionsMax }) };
    const child = await ground.children.start(await stack.command(whole));
    started.push(child);
    tiers.push({ role: tier.role, pid: child.pid });
    return { port, adminPort };
  };
  try {
    const { port } = await startTiers(ground, start);
    return { stack, port, children: started, pids: started.map(({ pid }) => pid), tiers };
  } catch (error) {
    await ground.children.stop(started);
    throw error;
  }
}

type Start = (tier: Pick<Tier, "role" | "id" | "upstreams">) => Promise<Upstream>;

async function startTiers({ stage, ports }: Ground, start: Start): Promise<Upstream> {
  const servers = ports.map((port) => ({ port }));
  if (stage.tiers !== "chain") return start({ role: stage.tiers, id: stage.tiers, upstreams: servers });
  const share = Math.ceil(servers.length / PROXIES);
  const proxies: Upstream[] = [];
  for (let n = 0; n < PROXIES; n += 1) {
    const upstreams = servers.slice(n * share, (n + 1) * share);
    proxies.push({ ...(await start({ role: "proxy", id: `proxy-${n + 1}`, upstreams })), upstreams });
  }
  return start({ role: "balancer", id: "balancer", upstreams: proxies });
}
