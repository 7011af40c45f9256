// A Swarm manager on a Unix socket, with as much of its API as a discovery asks: tasks by filters, services, nodes, events, a task's
// log, and the version. It keeps each call, and refuses whatever is no GET.

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { swarmNode, swarmService, swarmTask } from "../swarm/answers.ts";

type Task = ReturnType<typeof swarmTask>;
type Filters = Readonly<Record<string, readonly string[]>>;

const NO_MANAGER = 'This node is not a swarm manager. Use "docker swarm init" to make it one.';

export class FakeManager {
  tasks: Task[] = [];
  services: ReturnType<typeof swarmService>[] = [];
  nodes: ReturnType<typeof swarmNode>[] = [];
  /** By task. */
  readonly logs = new Map<string, string>();
  /** Instead of any answer but that about the version. */
  failure: { readonly status: number; readonly message: string } | undefined;
  /** Method and path with filters, in their order. */
  readonly calls: string[] = [];
  /** Those who follow a task's log, by task. */
  readonly #followers = new Map<string, ServerResponse>();
  readonly #listeners = new Set<ServerResponse>();
  readonly #server: Server;
  readonly socket: string;

  private constructor(socket: string) {
    this.socket = socket;
    this.#server = createServer((request, response) => this.#answer(request, response)).listen(socket);
  }

  static async open(t: TestContext): Promise<FakeManager> {
    const directory = await mkdtemp(join(tmpdir(), "evenkeel-manager-"));
    const manager = new FakeManager(join(directory, "docker.sock"));
    await once(manager.#server, "listening");
    t.after(async () => {
      manager.#server.close();
      manager.#server.closeAllConnections();
      await rm(directory, { recursive: true });
    });
    return manager;
  }

  /** As of an engine that is in no swarm, or a worker there. */
  isNone(): void {
    this.failure = { status: 503, message: NO_MANAGER };
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Tells those who follow the events. */
  tell(type: "service" | "node"): void {
    for (const response of this.#listeners) response.write(`${JSON.stringify({ Type: type, Action: "update" })}\n`);
  }

  /** The tasks whose logs are followed. */
  get followed(): string[] {
    return [...this.#followers.keys()].sort();
  }

  /** A task writes a line on its stdout. */
  write(task: string, line: string): void {
    this.#followers.get(task)?.write(framed(`${line}\n`));
  }

  /** Breaks off the log of a task. */
  cut(task: string): void {
    this.#followers.get(task)?.destroy();
  }

  /** Breaks off every event stream. */
  breakOff(): void {
    for (const response of this.#listeners) response.destroy();
  }

  /** The calls since the last time. */
  takeCalls(): string[] {
    return this.calls.splice(0);
  }

  #answer({ method, url = "" }: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, "http://manager");
    const path = pathname.replace(/^\/v\d+\.\d+/, "");
    const filters = JSON.parse(searchParams.get("filters") ?? "{}") as Filters;
    this.calls.push([method, path, ...Object.keys(filters).sort()].join(" "));
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    if (method !== "GET") return void send(403, { message: "not a GET" });
    if (path === "/version") return void send(200, { ApiVersion: "1.45", Version: "26.1.5" });
    if (this.failure !== undefined) return void send(this.failure.status, { message: this.failure.message });
    if (path === "/events") return void this.#listen(response);
    const log = /^\/tasks\/(\w+)\/logs$/.exec(path)?.[1];
    if (log !== undefined && searchParams.has("follow")) return void this.#writeTo(log, response);
    if (log !== undefined && this.logs.has(log)) return void response.end(framed(this.logs.get(log) as string));
    const answer = this.#lists(path, filters);
    send(answer === undefined ? 404 : 200, answer ?? { message: `no such thing: ${path}` });
  }

  #writeTo(task: string, response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "application/vnd.docker.multiplexed-stream" }).flushHeaders();
    this.#followers.set(task, response);
    response.once("close", () => {
      if (this.#followers.get(task) === response) this.#followers.delete(task);
    });
  }

  #lists(path: string, filters: Filters): readonly object[] | undefined {
    if (path === "/services") return this.services;
    if (path === "/nodes") return this.nodes;
    if (path !== "/tasks") return undefined;
    const { id, "desired-state": desired } = filters;
    // `starting` and the like are wanted running too.
    return this.tasks.filter(
      (task) => (id?.includes(task.ID) ?? true) && (desired?.includes(task.DesiredState) ?? true),
    );
  }

  #listen(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "application/json" }).flushHeaders();
    this.#listeners.add(response);
    response.once("close", () => this.#listeners.delete(response));
  }
}

/** As the engine sends what a container without a terminal wrote on stdout. */
function framed(text: string): Buffer {
  const head = Buffer.alloc(8);
  head[0] = 1;
  head.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([head, Buffer.from(text)]);
}
