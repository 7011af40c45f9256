// nginx and HAProxy as Debian has them, as plain processes with configurations of their own, in front of one server. They
// touch no service of the system: their files are in a temporary directory, their ports are free ones of 127.0.0.1.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import { freePort } from "../ports.ts";
import { temporaryDirectory } from "../registry.ts";
import type { Scope } from "../scope.ts";

export const otherProxies = ["nginx", "haproxy"] as const;
export type OtherProxy = (typeof otherProxies)[number];

/** Debian keeps both where only root's PATH looks. */
const PATH = `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`;

export function isInstalled(name: OtherProxy): boolean {
  return spawnSync(name, ["-v"], { env: { PATH }, stdio: "ignore" }).status === 0;
}

interface Ports {
  readonly port: number;
  readonly origin: number;
}

interface Setup {
  readonly configuration: (ports: Ports & { readonly directory: string }) => string;
  readonly arguments: (file: string) => readonly string[];
}

const setups: Record<OtherProxy, Setup> = {
  nginx: {
    configuration: ({ port, origin, directory }) => `
      daemon off;
      master_process off;
      pid ${directory}/pid;
      error_log ${directory}/error.log;
      events { worker_connections 256; }
      http {
        access_log off;
        client_header_timeout 5s;
        client_body_timeout 5s;
        client_body_temp_path ${directory}/body;
        proxy_temp_path ${directory}/proxy;
        fastcgi_temp_path ${directory}/fastcgi;
        uwsgi_temp_path ${directory}/uwsgi;
        scgi_temp_path ${directory}/scgi;
        upstream origin { server 127.0.0.1:${origin}; keepalive 8; }
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
          }
        }
      }`,
    arguments: (file) => ["-c", file, "-e", `${file}.log`],
  },
  haproxy: {
    configuration: ({ port, origin }) => `
      defaults
        mode http
        timeout connect 2s
        timeout client 5s
        timeout server 5s
        timeout http-request 5s
        timeout tunnel 500ms
      frontend clients
        bind 127.0.0.1:${port}
        default_backend members
      backend members
        server origin 127.0.0.1:${origin}\n`,
    arguments: (file) => ["-db", "-q", "-f", file],
  },
};

/** Resolves with its port when it takes connections. @throws with what it said when it does not */
export async function startOther(scope: Scope, name: OtherProxy, origin: number): Promise<number> {
  const directory = await temporaryDirectory(scope);
  const file = join(directory, "configuration");
  const port = await freePort();
  await writeFile(file, setups[name].configuration({ port, origin, directory }));
  const child = spawn(name, setups[name].arguments(file), { env: { PATH }, stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = once(child, "exit");
  scope.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  await eventually(
    () => `${name} takes connections; it says ${errors}`,
    () => takesConnections(port),
  );
  return port;
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
