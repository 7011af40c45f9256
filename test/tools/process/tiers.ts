// Tiers as real processes: one alone, with the test's own origins for members, or both, one behind the other; and the
// registry that they follow, which the test may change.

import { join } from "node:path";
import { type RegistryMember, type RegistryPool, writeRegistry } from "../../../services/registry/document.ts";
import { entry, registry, temporaryDirectory } from "../registry.ts";
import type { Scope } from "../scope.ts";
import { type MemberProcess, startMember } from "./run.ts";

export interface TierProcess extends MemberProcess {
  /** Makes this the registry, and returns when the tier has taken it over. */
  readonly publish: (members: readonly RegistryMember[], pools?: readonly RegistryPool[]) => Promise<void>;
  /** Makes proxies at these ports the registry, such as the tier has not met before, and returns their ids. */
  readonly give: (...ports: readonly number[]) => Promise<[string, string]>;
}

type Environment = Readonly<Record<string, string>>;

/** A tier alone with these members; `ROLE` is balancer unless the environment says proxy. */
export async function startTier(
  scope: Scope,
  members: readonly RegistryMember[],
  environment: Environment = {},
): Promise<TierProcess> {
  const file = join(await temporaryDirectory(scope), "registry.json");
  let version = 1;
  await writeRegistry(file, registry(version, members));
  const tier = await startMember(scope, { ROLE: "balancer", REGISTRY_FILE: file, ...environment });
  async function publish(next: readonly RegistryMember[], pools?: readonly RegistryPool[]): Promise<void> {
    version += 1;
    await writeRegistry(file, { ...registry(version, next), ...(pools && { pools }) });
    await tier.event("registry-adopted", { version });
  }
  async function give(...ports: readonly number[]): Promise<[string, string]> {
    const entries = ports.map((port, index) => entry(`proxy-${version}-${index + 1}`, port));
    await publish(entries);
    return entries.map(({ id }) => id) as [string, string];
  }
  return { ...tier, publish, give };
}

/** Both tiers: a balancer over proxy-1, proxy-2 and so on, each over the group of its number. */
export async function startTwoTiers(
  scope: Scope,
  servers: readonly RegistryMember[],
  { proxies: count = 1, environment = {} }: { proxies?: number; environment?: Environment } = {},
): Promise<{ balancer: TierProcess; proxies: TierProcess[] }> {
  const groups = Array.from({ length: count }, (_, index) => String(index + 1));
  const proxies = await Promise.all(
    groups.map((GROUP) => startTier(scope, servers, { ...environment, ROLE: "proxy", ID: `proxy-${GROUP}`, GROUP })),
  );
  const entries = proxies.map(({ port, adminPort }, index) =>
    entry(`proxy-${index + 1}`, port, { adminPort, link: 1 }),
  );
  return { balancer: await startTier(scope, entries, environment), proxies };
}
