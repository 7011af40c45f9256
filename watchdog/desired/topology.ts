// Pure. The slots of the system without Docker: a balancer over two proxies, each over its share of the servers, which are samples of
// ours or a program of the user's. With Docker they are read from the Compose file's services instead.

import type { ServiceLabels } from "./labels.ts";
import type { Slot } from "./slot.ts";

const PROXIES = 2;
const SERVERS = 6;
const POOL = "servers";

interface DesiredServers {
  readonly count?: number;
  /** Absent: they are samples of ours. */
  readonly own?: { readonly health?: string };
}

/** In the order in which they stop: the balancer first, so that nothing new comes in. */
export function topology({ count = SERVERS, own }: DesiredServers = {}): readonly Slot[] {
  const numbers = (last: number) => Array.from({ length: last }, (_, index) => index + 1);
  // Shares as rules/groups.ts has them: two proxies with one server share that.
  const groups = Math.min(PROXIES, count);
  const groupOf = (n: number) => String(Math.floor(((n - 1) * groups) / count) + 1);
  const proxies = numbers(PROXIES).map(
    (n): Slot => ({ id: `proxy-${n}`, role: "proxy", group: String(((n - 1) % groups) + 1) }),
  );
  const labels = own && labelsOf(own);
  const servers = numbers(count).map(
    (n): Slot => ({ id: `server-${n}`, role: "server", group: groupOf(n), ...(labels && { labels }) }),
  );
  return [{ id: "balancer", role: "balancer" }, ...proxies, ...servers];
}

/** As if it were a container with these. */
function labelsOf({ health }: { readonly health?: string }): ServiceLabels {
  return { role: "server", reports: false, heal: true, pool: POOL, ...(health !== undefined && { health }) };
}
