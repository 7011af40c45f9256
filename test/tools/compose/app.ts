// Somebody's own application with Evenkeel around it: a Compose file as a stranger writes it, over this checkout's evenkeel.yaml, on a
// real engine. Its image has never heard of Evenkeel. Nothing of the project is left when the scope is over.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ofProject } from "../../../watchdog/engines/docker/compose-labels.ts";
import { docker, dockerLines, leftoversOf, repository } from "../docker/docker.ts";
import { reapWhenKilled } from "../docker/reaper.ts";
import { slotsAt } from "../http/slots.ts";
import { freePort } from "../ports.ts";
import { type Said, say } from "../process/programs.ts";
import { temporaryDirectory } from "../registry.ts";
import type { Scope } from "../scope.ts";

const PROJECT = `evenkeel-own-${process.pid}`;
const LIMIT_MS = 300_000;

/** Answers as the load wants it: whom it answers, and the digest of what came. Ends when it is told to, with what it has begun. */
const PROGRAM = `
const { createHash } = require("node:crypto");
const { existsSync, readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const server = createServer((request, response) => {
  const hash = createHash("sha256");
  let bytes = 0;
  request.on("data", (piece) => { bytes += piece.length; hash.update(piece); });
  request.on("end", () => {
    const client = new URL(request.url, "http://a").searchParams.get("client");
    const facts = { client, server: process.env.HOSTNAME, version: process.env.VERSION, release: process.env.RELEASE };
    response.end(JSON.stringify(bytes > 0 ? { ...facts, body: { sha256: hash.digest("hex") } } : facts));
  });
});
const BROKEN = "/shared/broken";
const isBroken = process.env.BROKEN || (existsSync(BROKEN) && readFileSync(BROKEN, "utf8") === process.env.VERSION);
if (isBroken) setInterval(() => {}, 1_000);
else server.listen(3000);
process.on("SIGTERM", () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
`;

export const COMPOSE_FILE = `
services:
  app:
    image: ${PROJECT}-app
    build: .
    init: true
    deploy: { replicas: 3 }
    environment: { VERSION: "\${VERSION:-1}", BROKEN: "\${BROKEN:-}" }
    labels: { evenkeel.port: "3000", evenkeel.start: 8s }
    depends_on: { migrate: { condition: service_completed_successfully } }
  db:
    image: ${PROJECT}-app
    init: true
    environment: { ROLE: server, ID: db }
    command: [node, -e, "setInterval(() => {}, 1000)"]
  migrate:
    image: ${PROJECT}-app
    command: [node, -e, "console.log('migrated')"]
  balancer: { extends: { file: ${join(repository, "evenkeel.yaml")}, service: balancer } }
  proxy: { extends: { file: ${join(repository, "evenkeel.yaml")}, service: proxy }, deploy: { replicas: 2 } }
  watchdog:
    extends: { file: ${join(repository, "evenkeel.yaml")}, service: watchdog }
    depends_on: [app, balancer, proxy]
volumes: { registry: {} }
`;

export class OwnApp {
  readonly balancerPort: number;
  readonly watchdogPort: number;
  readonly #directory: string;

  constructor(directory: string, ports: { readonly balancerPort: number; readonly watchdogPort: number }) {
    this.#directory = directory;
    this.balancerPort = ports.balancerPort;
    this.watchdogPort = ports.watchdogPort;
  }

  /** @param release what an image that is built of it says of itself */
  async write(composeFile: string, release = "1"): Promise<void> {
    await writeFile(join(this.#directory, "compose.yaml"), composeFile);
    await writeFile(join(this.#directory, "app.cjs"), PROGRAM);
    const image = ["FROM node:26-bookworm-slim", "COPY app.cjs /app.cjs", `ENV RELEASE=${release}`];
    const dockerfile = `${image.join("\n")}\nLABEL release=${release}\nCMD ["node", "/app.cjs"]\n`;
    await writeFile(join(this.#directory, "Dockerfile"), dockerfile);
  }

  /** Of this version none listens that begins from now on, where its Compose file mounts ./shared. */
  async break(version: string): Promise<void> {
    await mkdir(join(this.#directory, "shared"), { recursive: true });
    await writeFile(join(this.#directory, "shared/broken"), version);
  }

  compose(environment: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<Said> {
    return this.says(environment, "docker", "compose", ...words);
  }

  /** Any command, in the directory of the Compose file and with its project. */
  says(environment: Readonly<Record<string, string>>, command: string, ...words: readonly string[]): Promise<Said> {
    const ports = { BALANCER_PORT: String(this.balancerPort), WATCHDOG_PORT: String(this.watchdogPort) };
    const env = { COMPOSE_PROJECT_NAME: PROJECT, ...ports, EVENKEEL_IMAGE: PROJECT, ...environment };
    return say(command, words, { cwd: this.#directory, env, limitMs: LIMIT_MS });
  }

  /** @throws with what it said when it fails */
  async must(...words: readonly string[]): Promise<string> {
    return this.mustWith({}, ...words);
  }

  async mustWith(environment: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.compose(environment, ...words);
    if (code !== 0) throw new Error(`docker compose ${words.join(" ")} ended with ${code}: ${stderr}`);
    return `${stdout}${stderr}`;
  }

  /** What `docker compose up -d` would do now, but for what it finds in order. @param options more of its words */
  async wouldDo(environment: Readonly<Record<string, string>> = {}, ...options: readonly string[]): Promise<string[]> {
    const said = await this.mustWith(environment, "--dry-run", "up", "-d", ...options, "app", "proxy", "balancer");
    const lines = said.split("\n").filter((line) => /Container \S*-(app|proxy|balancer)-/.test(line));
    return lines.filter((line) => !/ Running\s*$/.test(line)).map((line) => line.trim());
  }

  rows() {
    return slotsAt(this.watchdogPort);
  }

  name(member: string): string {
    return `${PROJECT}-${member}`;
  }

  /** Its guardian starts the next one. */
  async killWatchdog(): Promise<void> {
    const kill =
      "kill -9 $(pgrep -u node node | head -1) || kill -9 $(cat /proc/$(cat /proc/1/task/1/children)/task/*/children)";
    await docker("exec", this.name("watchdog-1"), "sh", "-c", kill).catch(() => {});
  }

  /** The ids of a service's containers. */
  idsOf(service: string): Promise<string[]> {
    const filters = [`label=${ofProject(PROJECT)}`, `label=com.docker.compose.service=${service}`];
    return dockerLines("ps", "-aq", "--no-trunc", ...filters.flatMap((filter) => ["--filter", filter]));
  }

  leftovers(): Promise<string[]> {
    return leftoversOf(PROJECT);
  }

  async clear(): Promise<void> {
    const all = await dockerLines("ps", "-aq", "--filter", `label=${ofProject(PROJECT)}`);
    await Promise.all(all.map((id) => docker("rm", "--force", id).catch(() => {})));
    await this.compose({}, "down", "--volumes", "--remove-orphans");
    for (const image of [PROJECT, `${PROJECT}-app`]) await docker("rmi", "--force", image);
  }
}

export async function ownApp(scope: Scope): Promise<OwnApp> {
  const ports = { balancerPort: await freePort(), watchdogPort: await freePort() };
  const app = new OwnApp(await temporaryDirectory(scope), ports);
  await app.write(COMPOSE_FILE);
  reapWhenKilled(PROJECT);
  scope.after(() => app.clear());
  return app;
}
