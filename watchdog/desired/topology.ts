// Pure. The slots of the system without Docker: a balancer over two proxies, each over its own three of six servers.
// With Docker they are read from the Compose file's services instead.

import type { Slot } from "./slot.ts";

const PROXIES = 2;
const SERVERS_PER_PROXY = 3;

/** In the order in which they stop: the balancer first, so that nothing new comes in. */
export function topology(): readonly Slot[] {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const proxies = numbers(PROXIES).map((n): Slot => ({ id: `proxy-${n}`, role: "proxy", group: String(n) }));
  const servers = numbers(PROXIES * SERVERS_PER_PROXY).map(
    (n): Slot => ({ id: `server-${n}`, role: "server", group: String(Math.ceil(n / SERVERS_PER_PROXY)) }),
  );
  return [{ id: "balancer", role: "balancer" }, ...proxies, ...servers];
}
