// Two engines that are one Swarm, with the stack of deploy/swarm on them. A script brings up the second engine, joined to the first one's
// Swarm as a worker, and copies images there (EVENKEEL_SWARM_UP); another one takes all of that away again (EVENKEEL_SWARM_DOWN). The
// first says `unix://...`, the second engine's socket, on stderr; that engine's process is in docker.pid beside it.

import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseRegistry, type RegistryMember } from "../../../services/registry/document.ts";
import { type RollList, rollListSchema } from "../../../watchdog/api/schema.ts";
import { docker, dockerLines, ensureImage, IMAGE, repository } from "../docker/docker.ts";
import { eventually } from "../eventually.ts";
import type { Target } from "../load/timed-load.ts";
import { must, say } from "../process/programs.ts";
import { temporaryDirectory } from "../registry.ts";
import type { Scope } from "../scope.ts";
import { type RecordedSocket, recordedSocket } from "./recorded-socket.ts";

const { EVENKEEL_SWARM_UP: up, EVENKEEL_SWARM_DOWN: down } = process.env;

/** For a test's `skip` option. */
export const swarmSkip: string | false =
  up && down ? false : "EVENKEEL_SWARM_UP and EVENKEEL_SWARM_DOWN name no scripts that make a Swarm of two engines";

export const TOKEN = "0123456789abcdef-of-a-secret";
const STACK = "evenkeel-test";
const SERVES_WITHIN_MS = 60_000;
const LIMIT = { limitMs: 120_000 };
const FILES = ["deploy/swarm/stack.yaml", "test/docker/swarm/beside.yaml"].map((file) => join(repository, file));
const SERVICES = ["balancer", "proxy", "server", "app"];
const GLOBAL: ReadonlySet<string> = new Set(["balancer", "proxy"]);
/** In the watchdog's container, which alone reaches its port. */
const ask = (path: string) =>
  `fetch('http://localhost:8404${path}').then(async (answer) => console.log(await answer.text()))`;

export interface StackTask {
  readonly id: string;
  /** As in the registry, such as server-3.x7k2p. */
  readonly member: string;
  readonly node: string;
}

export interface Nodes {
  /** This machine's own engine, and the other one, by name. */
  readonly own: string;
  readonly other: string;
  /** By which the other one is reached. */
  readonly address: string;
}

export class SwarmStage {
  readonly port: number;
  readonly nodes: Nodes;
  /** Of the first engine, as the watchdog has it. */
  readonly socket: RecordedSocket;
  /** The second engine's socket. */
  readonly #second: string;

  constructor(
    port: number,
    parts: { readonly nodes: Nodes; readonly socket: RecordedSocket; readonly second: string },
  ) {
    this.port = port;
    this.nodes = parts.nodes;
    this.socket = parts.socket;
    this.#second = parts.second;
  }

  /** Where clients come in: at this machine, or at the other one. */
  at(node: "own" | "other", path = "/"): Target {
    return { address: node === "own" ? "127.0.0.1" : this.nodes.address, port: this.port, path };
  }

  /** What `docker` takes to speak to a node's engine. */
  engine(node: string): readonly string[] {
    return node === this.nodes.own ? [] : ["--host", this.#second];
  }

  /** Those of a service that are to run. */
  async tasks(service: string): Promise<StackTask[]> {
    const format = "{{.ID}} {{.Name}} {{.Node}}";
    const running = ["--filter", "desired-state=running", "--no-trunc", "--format", format];
    const lines = await dockerLines("service", "ps", ...running, `${STACK}_${service}`);
    return lines.map((line) => {
      const [id = "", name = "", node = ""] = line.split(" ");
      const number = GLOBAL.has(service) ? node : name.split(".").at(1);
      return { id, node, member: `${service}-${number}.${id.slice(0, 5)}` };
    });
  }

  /** The container of a task. */
  async container({ id, node }: StackTask): Promise<string> {
    const filter = `label=com.docker.swarm.task.id=${id}`;
    const [container = ""] = await dockerLines(...this.engine(node), "ps", "--quiet", "--filter", filter);
    return container;
  }

  /** The registry, as the watchdog gives it. */
  async members(): Promise<readonly RegistryMember[]> {
    const parsed = parseRegistry(await this.#answer("/registry"));
    return parsed.ok ? parsed.registry.members : [];
  }

  /** The updates that the watchdog shows. */
  async rolls(): Promise<RollList["rolls"]> {
    const { data } = rollListSchema.safeParse(jsonOf(await this.#answer("/api/rolls")));
    return data?.rolls ?? [];
  }

  /** Empty: no watchdog answers. */
  async #answer(path: string): Promise<string> {
    const filter = `label=com.docker.swarm.service.name=${STACK}_watchdog`;
    const [watchdog] = await dockerLines("ps", "--quiet", "--filter", filter);
    return watchdog === undefined ? "" : (await say("docker", ["exec", watchdog, "node", "-e", ask(path)])).stdout;
  }

  /** Exactly the tasks that are to run are in the registry, and serve. */
  async serves(): Promise<void> {
    let last = "";
    const look = async () => {
      const all = await Promise.all(SERVICES.map((service) => this.tasks(service)));
      const wanted = all.flat().map(({ member }) => `${member} serving`);
      const shown = (await this.members()).map(({ id, state }) => `${id} ${state}`);
      last = `${shown.join(", ")}; wanted: ${wanted.join(", ")}`;
      return wanted.length > 0 && wanted.sort().join() === shown.sort().join();
    };
    await eventually(() => `all tasks serve: ${last}`, look, SERVES_WITHIN_MS);
  }

  /** Sends a task's container a signal from outside, on whichever node it is. */
  async signal(task: StackTask, signal: string): Promise<void> {
    await docker(...this.engine(task.node), "kill", "--signal", signal, await this.container(task));
  }

  /** Stops the program of a task, or lets it go on; what starts it as process 1 would not pass that on. */
  async hang(task: StackTask, signal: "STOP" | "CONT"): Promise<void> {
    const each = `for p in /proc/[0-9]*; do [[ $(readlink $p/exe) == */node ]] && kill -${signal} "\${p#/proc/}"; done; true`;
    await docker(...this.engine(task.node), "exec", await this.container(task), "bash", "-c", each);
  }

  /** Replaces every task of a service by one like it, one by one. */
  async roll(service: string): Promise<void> {
    await must("docker", ["service", "update", "--force", "--quiet", `${STACK}_${service}`], LIMIT);
  }

  /** Returns when Swarm has heard it, and not when it is so. */
  async scale(service: string, replicas: number): Promise<void> {
    await docker("service", "scale", "--detach", `${STACK}_${service}=${replicas}`);
  }

  async availability(node: string, availability: "active" | "pause" | "drain"): Promise<void> {
    await docker("node", "update", "--availability", availability, node);
  }

  /** Ends the second engine without a word; its containers run on. */
  async killEngine(): Promise<void> {
    const socket = this.#second.replace("unix://", "");
    process.kill(Number(await readFile(join(dirname(socket), "docker.pid"), "utf8")), "SIGKILL");
  }

  /** What the watchdog wrote, for whoever looks why a test failed. */
  async watchdogLog(): Promise<string> {
    return (await say("docker", ["service", "logs", "--raw", "--tail", "40", `${STACK}_watchdog`])).stdout;
  }
}

/** Deploys the stack on two nodes, and waits until all of it serves. */
export async function deployStack(scope: Scope, port: number): Promise<SwarmStage> {
  await ensureImage();
  const socket = await recordedSocket(scope, "/var/run/docker.sock");
  const API_TOKEN_FILE = join(await temporaryDirectory(scope), "token");
  await writeFile(API_TOKEN_FILE, `${TOKEN}\n`);
  scope.after(async () => void (await must(down as string, [], LIMIT)));
  const { stderr } = await must(up as string, [IMAGE], LIMIT);
  const [address = ""] = await dockerLines(
    ...["node", "inspect", "--format", "{{.Status.Addr}}"],
    ...(await dockerLines("node", "ls", "--quiet", "--filter", "role=worker")),
  );
  const [own = "", other = ""] = await Promise.all(
    ["manager", "worker"].map((role) => docker("node", "ls", "--filter", `role=${role}`, "--format", "{{.Hostname}}")),
  );
  await eventually("both nodes are ready", async () => {
    const states = await dockerLines("node", "ls", "--format", "{{.Status}}");
    return states.length === 2 && states.every((state) => state === "Ready");
  });
  const second = /unix:\/\/[^\s;]+/.exec(stderr)?.[0] ?? "";
  const stage = new SwarmStage(port, { nodes: { own, other, address }, socket, second });
  const env = {
    ...{ BALANCER_PORT: String(port), EVENKEEL_IMAGE: IMAGE },
    ...{ API_TOKEN_FILE, RECORDED_SOCKET: socket.path },
  };
  const files = FILES.flatMap((file) => ["-c", file]);
  await must("docker", ["stack", "deploy", "--detach=true", ...files, STACK], { ...LIMIT, env });
  await stage.serves();
  return stage;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
