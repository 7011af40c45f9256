// The servers behind every chain: one nginx that answers from memory on as many ports as asked for, so that what is measured is
// the chain. Where there is no nginx, a small server of our own, which knows the small answer alone.

import { truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HOST } from "../../test/tools/ports.ts";
import type { Child, Children } from "./children.ts";
import { freePorts } from "./ports.ts";
import { HUGE_BYTES } from "./scenarios.ts";
import { nginxCommand, nginxFolders, nginxTop } from "./stacks/nginx.ts";

/** How servers behave: `failing` closes 5 % of requests without an answer, `slow` takes 100 ms for each. */
export type Manner = "plain" | "failing" | "slow";

export const SMALL_BODY = '{"server":"one of many","client":"7","message":"hello from a server"}';
export const BIG_BYTES = 1_048_576;
export const HUGE_PATH = "/huge";
export const UPLOAD_PATH = "/up";

export interface Origins {
  readonly ports: readonly number[];
  readonly child: Child;
}

export interface Wanted {
  readonly count: number;
  readonly manner: Manner;
  readonly folder: string;
  /** The program that serves where there is no nginx. */
  readonly standIn: string;
  readonly hasNginx: boolean;
}

export async function startOrigins(children: Children, wanted: Wanted): Promise<Origins> {
  const [inner, ...ports] = (await freePorts(wanted.count + 1)) as [number, ...number[]];
  const first = ports[0] as number;
  if (!wanted.hasNginx) {
    const parameters = [wanted.standIn, SMALL_BODY, ports.join()];
    return { ports, child: await children.start({ program: process.execPath, parameters, port: first }) };
  }
  const file = join(wanted.folder, "origins.conf");
  await writeFile(join(wanted.folder, "big"), Buffer.alloc(BIG_BYTES, "x"));
  await writeFile(join(wanted.folder, "huge"), "");
  await truncate(join(wanted.folder, "huge"), HUGE_BYTES);
  await writeFile(file, configuration(wanted, { inner, ports }));
  return { ports, child: await children.start(nginxCommand(file, first)) };
}

/**
 * What "/up" answers is the length of the body that it has read: nginx asks its inner server only when it has all of it.
 * A slow answer is a refused login: nginx holds those back by `auth_delay`, and is told to call it a 200.
 */
function configuration({ manner, folder }: Wanted, { inner, ports }: { inner: number; ports: number[] }): string {
  const small = `default_type application/json; return 200 '${SMALL_BODY}';`;
  const root = {
    plain: `location / { ${small} }`,
    failing: `location / { if ($failing) { return 444; } ${small} }`,
    slow: `location / { auth_delay 100ms; auth_basic x; auth_basic_user_file ${folder}/nobody; error_page 401 =200 @small; }
    location @small { auth_basic off; ${small} }`,
  }[manner];
  return `${nginxTop(folder)}
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  client_max_body_size 0;
  client_body_buffer_size 2m;
  sendfile on;
  ${nginxFolders(folder)}
  split_clients "$request_id" $failing { 5% 1; * ""; }
  server {
    ${ports.map((port) => `listen ${HOST}:${port} backlog=4096;`).join("\n    ")}
    ${root}
    location = /big { root ${folder}; default_type text/plain; }
    location = ${HUGE_PATH} { root ${folder}; default_type text/plain; }
    location = ${UPLOAD_PATH} {
      proxy_pass http://${HOST}:${inner};
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Length $content_length;
    }
  }
  server {
    listen ${HOST}:${inner};
    location / { default_type text/plain; return 200 $http_x_length; }
  }
}
`;
}
