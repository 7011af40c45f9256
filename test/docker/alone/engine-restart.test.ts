// The Docker engine itself ends, in order and by kill -9, and comes back: what ran is back, and what an operator had stopped is not.
// On an engine of its own, in a network of its own, so that it disturbs nobody, and alone, for it takes much: root, dockerd and
// both CPUs.

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { takesTraffic } from "../../../services/runtime/roles.ts";
import { type StateDocument, stateSchema } from "../../../watchdog/api/schema.ts";
import { dockerSkip, ensureImage, IMAGE, repository } from "../../tools/docker/docker.ts";
import { eventually } from "../../tools/eventually.ts";
import { isAlive } from "../../tools/process/pids.ts";
import { temporaryDirectory } from "../../tools/registry.ts";
import { fileScope, type Scope } from "../../tools/scope.ts";

const skip = dockerSkip || whyNoOwnEngine();
const STOPPED = "server-2";
const WITHIN_MS = 60_000;
const run = promisify(execFile);

const scope = fileScope();
let engine: OwnEngine;

/** A dockerd apart from the one that other tests use: other socket, other containers, other network namespace. */
class OwnEngine {
  readonly #directory: string;
  /** Holds the network namespace, which has to outlive the engine. */
  readonly #network: ChildProcess;

  constructor(directory: string) {
    this.#directory = directory;
    this.#network = spawn("unshare", ["--net", "sh", "-c", "ip link set lo up && exec sleep infinity"]);
  }

  async start(): Promise<void> {
    const at = (name: string) => join(this.#directory, name);
    const paths = ["--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("pid")];
    const networks = ["--bridge", "none", "--default-address-pool", "base=10.213.0.0/16,size=24"];
    const dockerd = ["dockerd", "--host", `unix://${at("docker.sock")}`, ...paths, ...networks];
    spawn("nsenter", ["--net", "--target", String(this.#network.pid), ...dockerd], { stdio: "ignore" });
    await eventually("an engine that answers", () => this.docker("info").then(Boolean, () => undefined), WITHIN_MS);
  }

  /** Ends it with this signal, and waits until it has gone. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const pid = Number(await readFile(join(this.#directory, "pid"), "utf8"));
    process.kill(pid, signal);
    await eventually("the end of the engine", () => !isAlive(pid) || undefined, WITHIN_MS);
  }

  async docker(...words: readonly string[]): Promise<string> {
    const DOCKER_SOCKET = join(this.#directory, "docker.sock");
    const env = { ...process.env, DOCKER_HOST: `unix://${DOCKER_SOCKET}`, DOCKER_SOCKET };
    return (await run("docker", words, { cwd: repository, env })).stdout;
  }

  compose(...words: readonly string[]): Promise<string> {
    return this.docker("compose", ...words);
  }

  /** Takes an image over from the engine of everybody. */
  async load(image: string): Promise<void> {
    const archive = join(this.#directory, "image.tar");
    await run("docker", ["save", "--output", archive, image]);
    await this.docker("load", "--input", archive);
  }

  async clear(): Promise<void> {
    await this.compose("down", "--volumes", "--timeout", "1").catch(() => {});
    await this.end("SIGTERM").catch(() => {});
    this.#network.kill("SIGKILL");
    await once(this.#network, "exit");
    // An engine that was killed leaves its directory mounted on itself.
    await run("umount", ["--recursive", "--lazy", join(this.#directory, "data")]).catch(() => {});
  }
}

before(async () => {
  if (skip !== false) return;
  await ensureImage();
  engine = await openEngine(scope);
  await engine.load(IMAGE);
  await engine.compose("up", "--detach", "--no-build", "--wait");
  await engine.compose("stop", STOPPED);
  await eventually("the word that it was stopped", async () => (await lives()).get(STOPPED) === "stopped on purpose");
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  test(`after ${signal} and a new start of the engine all that ran serves, and what was stopped stays so`, {
    skip,
  }, async () => {
    await engine.end(signal);
    await engine.start();
    await eventually("a system that serves", serves, WITHIN_MS);
    const now = await lives();
    for (const [slot, life] of now) assert.equal(life, slot === STOPPED ? "stopped on purpose" : "running", slot);
    // The standby is a slot of the watchdog that leads.
    assert.equal(now.size, 11);
  });
}

async function openEngine(t: Scope): Promise<OwnEngine> {
  const made = new OwnEngine(await temporaryDirectory(t));
  t.after(() => made.clear());
  await made.start();
  return made;
}

/** Do all serve that should, and are requests answered? */
async function serves(): Promise<true | undefined> {
  try {
    const { slots } = await state();
    const away = slots.filter(({ role, slot, state }) => takesTraffic(role) && slot !== STOPPED && state !== "serving");
    if (away.length > 0) return undefined;
    await engine.compose("exec", "-T", "client", "node", "client.js", "7", "--count", "30");
    return true;
  } catch {
    return undefined;
  }
}

async function lives(): Promise<Map<string, string>> {
  return new Map((await state()).slots.map(({ slot, life }) => [slot, life]));
}

async function state(): Promise<StateDocument> {
  const said = await engine.compose("exec", "-T", "watchdog", "node", "watchdogctl.js", "status", "--json");
  return stateSchema.parse(JSON.parse(said));
}

function whyNoOwnEngine(): string | false {
  if (process.getuid?.() !== 0) return "an engine of its own takes root";
  const missing = ["dockerd", "unshare", "nsenter", "ip"].filter((name) => spawnSync(name, ["-V"]).error !== undefined);
  return missing.length > 0 && `an engine of its own takes ${missing.join(" and ")}`;
}
