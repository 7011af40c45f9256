// Caddy as a reverse proxy: its default configuration but for the policy and retries. It uses all processors, as it does by
// default; processor time a request can be compared all the same.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HOST } from "../../../test/tools/ports.ts";
import { policyOf, type Stack, type Tier } from "./stack.ts";

const RETRY_DURATION = "2s";

export function caddy(version: string): Stack {
  return {
    name: "caddy",
    about: version,
    command: async (tier) => {
      const file = join(tier.folder, "caddy.json");
      await writeFile(file, JSON.stringify(configuration(tier)));
      const environment = { HOME: tier.folder, XDG_DATA_HOME: tier.folder, XDG_CONFIG_HOME: tier.folder };
      return { program: "caddy", parameters: ["run", "--config", file], environment, port: tier.port };
    },
  };
}

function configuration(tier: Tier): object {
  const proxy = {
    handler: "reverse_proxy",
    upstreams: tier.upstreams.map(({ port }) => ({ dial: `${HOST}:${port}` })),
    load_balancing: {
      selection_policy: { policy: policyOf(tier) === "random" ? "random" : "round_robin" },
      try_duration: RETRY_DURATION,
    },
    transport: { protocol: "http", keep_alive: { max_idle_conns: 1_024, max_idle_conns_per_host: 256 } },
  };
  const server = {
    listen: [`${HOST}:${tier.port}`],
    automatic_https: { disable: true },
    protocols: ["h1"],
    routes: [{ handle: [proxy] }],
  };
  return {
    admin: { disabled: true, config: { persist: false } },
    logging: { logs: { default: { level: "ERROR" } } },
    apps: { http: { servers: { front: server } } },
  };
}
