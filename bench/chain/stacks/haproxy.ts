// HAProxy as a reverse proxy: one thread, health checks and retries on, as its users have them.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HOST } from "../../../test/tools/ports.ts";
import { policyOf, type Stack, type Tier } from "./stack.ts";

export function haproxy(version: string): Stack {
  return {
    name: "haproxy",
    about: version,
    command: async (tier) => {
      const file = join(tier.folder, "haproxy.cfg");
      await writeFile(file, configuration(tier));
      return { program: "haproxy", parameters: ["-db", "-f", file], port: tier.port };
    },
  };
}

function configuration(tier: Tier): string {
  const servers = tier.upstreams.map(({ port }, index) => `  server s${index + 1} ${HOST}:${port} check inter 1s`);
  return `global
  maxconn 16384
  nbthread 1
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  option forwardfor
  option redispatch 1
  retries 2
  retry-on conn-failure empty-response
  http-reuse always
frontend clients
  bind ${HOST}:${tier.port} backlog 4096
  default_backend members
backend members
  balance ${policyOf(tier) === "random" ? "random" : "roundrobin"}
${servers.join("\n")}
`;
}
