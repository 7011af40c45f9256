// Two engines that are one Swarm, with the stack of deploy/swarm on them. A script brings up the second engine, joined to the first one's
// Swarm as a worker, and copies images there (EVENKEEL_SWARM_UP); another one takes all of that away again (EVENKEEL_SWARM_DOWN). The
// first says `unix://...`, the second engine's socket, on stderr.

import { join } from "node:path";
import { parseRegistry, type RegistryMember } from "../../../services/registry/document.ts";
import { eventually } from "../eventually.ts";
import { must, say } from "../process/programs.ts";
import type { Scope } from "../scope.ts";
import { docker, dockerLines, ensureImage, IMAGE, repository } from "./docker.ts";

const { EVENKEEL_SWARM_UP: up, EVENKEEL_SWARM_DOWN: down } = process.env;

/** For a test's `skip` option. */
export const swarmSkip: string | false =
  up && down ? false : "EVENKEEL_SWARM_UP and EVENKEEL_SWARM_DOWN name no scripts that make a Swarm of two engines";

const STACK = "evenkeel-test";
const SERVES_WITHIN_MS = 60_000;
const LIMIT = { limitMs: 120_000 };
const STACK_FILE = join(repository, "deploy/swarm/stack.yaml");
/** In the watchdog's container, which alone reaches its port. */
const ASK = "fetch('http://localhost:8404/registry').then(async (answer) => console.log(await answer.text()))";

export interface StackTask {
  readonly id: string;
  /** As in the registry, such as server-3.x7k2p. */
  readonly member: string;
  readonly node: string;
}

export class SwarmStage {
  readonly port: number;
  /** The second engine's socket. */
  readonly #second: string;

  constructor(port: number, second: string) {
    this.port = port;
    this.#second = second;
  }

  /** The addresses of the nodes, this machine's first. */
  async addresses(): Promise<readonly string[]> {
    const ids = await dockerLines("node", "ls", "--quiet", "--filter", "role=worker");
    return ["127.0.0.1", ...(await dockerLines("node", "inspect", "--format", "{{.Status.Addr}}", ...ids))];
  }

  /** Those of a service that are to run. */
  async tasks(service: string): Promise<StackTask[]> {
    const format = "{{.ID}} {{.Name}} {{.Node}}";
    const running = ["--filter", "desired-state=running", "--no-trunc", "--format", format];
    const lines = await dockerLines("service", "ps", ...running, `${STACK}_${service}`);
    return lines.map((line) => {
      const [id = "", name = "", node = ""] = line.split(" ");
      const number = service === "balancer" ? node : name.split(".").at(1);
      return { id, node, member: `${service}-${number}.${id.slice(0, 5)}` };
    });
  }

  /** The registry, as the watchdog gives it. */
  async members(): Promise<readonly RegistryMember[]> {
    const [watchdog] = await dockerLines(
      "ps",
      "--quiet",
      "--filter",
      `label=com.docker.swarm.service.name=${STACK}_watchdog`,
    );
    if (watchdog === undefined) return [];
    const { stdout } = await say("docker", ["exec", watchdog, "node", "-e", ASK]);
    const parsed = parseRegistry(stdout);
    return parsed.ok ? parsed.registry.members : [];
  }

  /** Exactly the tasks that are to run are in the registry, and serve. */
  async serves(): Promise<void> {
    let last = "";
    const look = async () => {
      const all = await Promise.all(["balancer", "proxy", "server"].map((service) => this.tasks(service)));
      const wanted = all.flat().map(({ member }) => `${member} serving`);
      const shown = (await this.members()).map(({ id, state }) => `${id} ${state}`);
      last = `${shown.join(", ")}; wanted: ${wanted.join(", ")}`;
      return wanted.length > 0 && wanted.sort().join() === shown.sort().join();
    };
    await eventually(() => `all tasks serve: ${last}`, look, SERVES_WITHIN_MS);
  }

  /** Ends a task's container from outside, on whichever node it is. */
  async kill({ id, node }: StackTask): Promise<void> {
    const own = await docker("info", "--format", "{{.Name}}");
    const engine = node === own ? [] : ["--host", this.#second];
    const [container = ""] = await dockerLines(
      ...engine,
      "ps",
      "--quiet",
      "--filter",
      `label=com.docker.swarm.task.id=${id}`,
    );
    await docker(...engine, "kill", container);
  }

  /** Replaces every task of a service by one like it, one by one. */
  async roll(service: string): Promise<void> {
    await must("docker", ["service", "update", "--force", "--quiet", `${STACK}_${service}`], LIMIT);
  }

  /** What the watchdog wrote, for whoever looks why a test failed. */
  async watchdogLog(): Promise<string> {
    return (await say("docker", ["service", "logs", "--raw", "--tail", "40", `${STACK}_watchdog`])).stdout;
  }
}

/** Deploys the stack on two nodes, and waits until all of it serves. */
export async function deployStack(scope: Scope, port: number): Promise<SwarmStage> {
  await ensureImage();
  scope.after(async () => void (await must(down as string, [], LIMIT)));
  const { stderr } = await must(up as string, [IMAGE], LIMIT);
  const stage = new SwarmStage(port, /unix:\/\/[^\s;]+/.exec(stderr)?.[0] ?? "");
  const env = { BALANCER_PORT: String(port), EVENKEEL_IMAGE: IMAGE };
  await must("docker", ["stack", "deploy", "--detach=true", "-c", STACK_FILE, STACK], { ...LIMIT, env });
  await stage.serves();
  return stage;
}
