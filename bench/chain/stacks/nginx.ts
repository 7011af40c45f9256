// nginx as a reverse proxy: one worker, connections to its upstreams kept alive, bodies streamed both ways as ours are.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HOST } from "../../../test/tools/ports.ts";
import { policyOf, type Stack, type Tier } from "./stack.ts";

/** Without the start-up messages that Debian's build writes to a log of the system's. */
export const nginxCommand = (file: string, port: number) => ({
  program: "nginx",
  parameters: ["-e", "stderr", "-c", file, "-g", "daemon off;"],
  port,
});

/** What stands at the top of every configuration of ours. Temporary files stay in the folder. */
export const nginxTop = (folder: string) => `worker_processes 1;
worker_rlimit_nofile 32768;
pid ${folder}/nginx.pid;
error_log stderr crit;
events { worker_connections 16384; }
`;

export const nginxFolders = (folder: string) =>
  ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n");

export function nginx(version: string): Stack {
  return {
    name: "nginx",
    about: version,
    command: async (tier) => {
      const file = join(tier.folder, "nginx.conf");
      await writeFile(file, configuration(tier));
      return nginxCommand(file, tier.port);
    },
  };
}

// max_fails=0: nginx would take a server out for ten seconds after one failure, and all of them after six. No upload waits in
// a file (`proxy_request_buffering`), and no download goes through one. Of buffer sizes for uploads this one is the fastest.
function configuration(tier: Tier): string {
  const { folder, port, upstreams } = tier;
  return `${nginxTop(folder)}
http {
  access_log off;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  ${nginxFolders(folder)}
  upstream members {
    ${policyOf(tier) === "random" ? "random;" : ""}
    ${upstreams.map((upstream) => `server ${HOST}:${upstream.port} max_fails=0;`).join("\n    ")}
    keepalive 1024;
    keepalive_requests 1000000000;
  }
  server {
    listen ${HOST}:${port} backlog=4096;
    location / {
      proxy_pass http://members;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_next_upstream error timeout;
      proxy_request_buffering off;
      client_body_buffer_size 128k;
      proxy_max_temp_file_size 0;
    }
  }
}
`;
}
