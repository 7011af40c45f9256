// Our own tiers from a build: processes with the registry in their environment, no watchdog, every other setting at its default.

import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Registry, RegistryMember } from "../../../services/registry/document.ts";
import { HOST } from "../../../test/tools/ports.ts";
import { entry, registry } from "../../../test/tools/registry.ts";
import { MEMBER_OPTIONS } from "../../../watchdog/engines/process/children.ts";
import type { Stack, Tier, Upstream } from "./stack.ts";

const GROUP = "1";

/** @throws when there is no build in `dist` */
export async function oursFrom(dist: string, name: string): Promise<Stack> {
  const main = resolve(dist, "services/main.js");
  await access(main).catch(() => {
    throw new Error(`${main} is not there: run npm run build in its checkout`);
  });
  return {
    name,
    about: `Evenkeel on Node ${process.versions.node}`,
    command: async (tier) => ({
      program: process.execPath,
      parameters: [...MEMBER_OPTIONS, main],
      environment: environmentOf(tier),
      port: tier.port,
    }),
  };
}

function environmentOf(tier: Tier): Record<string, string> {
  const { role, id, port, adminPort, folder, connectionsMax } = tier;
  return {
    ...{ ROLE: role, ID: id, GROUP, HOST, PORT: String(port), ADMIN_PORT: String(adminPort) },
    REGISTRY: JSON.stringify(registryOf(tier)),
    REGISTRY_FILE: join(folder, "never-written.json"),
    // All clients have one address here.
    ...(connectionsMax === undefined ? {} : bothLimits(String(connectionsMax))),
    // Clients are gone by the time that a tier is stopped.
    ...{ STOP_WITH_STDIN: "yes", DRAIN_GRACE_MS: "0", DRAIN_TIMEOUT_MS: "1000" },
  };
}

function bothLimits(connections: string): Record<string, string> {
  return { CONNECTIONS_MAX: connections, CONNECTIONS_PER_CLIENT_MAX: connections };
}

/** A proxy's group is its own, and so that of its servers. */
function registryOf({ role, upstreams }: Tier): Registry {
  if (role === "proxy") return registry(1, serversOf(upstreams, GROUP));
  const members = upstreams.flatMap(({ port, adminPort, upstreams: servers = [] }, index): RegistryMember[] => {
    const group = String(index + 1);
    // Stand-ins for proxies have no admin port, and speak HTTP/1.1 alone.
    const ours = adminPort === undefined ? {} : { adminPort, link: 1 as const };
    return [entry(`proxy-${group}`, port, { group, ...ours }), ...serversOf(servers, group)];
  });
  return registry(1, members);
}

const serversOf = (servers: readonly Upstream[], group: string) =>
  servers.map(({ port }, index) => entry(`server-${group}-${index + 1}`, port, { group }));
