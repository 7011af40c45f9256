// A Compose project of this test run's own, evenkeel-contract-PID, with two servers or those of another Compose file, and engines
// opened on it. It is brought up for one file and taken down after it; other projects are never touched.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSettings } from "../../../services/runtime/config.ts";
import type { Slot } from "../../../watchdog/desired/slot.ts";
import { openDockerEngine } from "../../../watchdog/engines/docker/engine.ts";
import type { Stage } from "../../watchdog/engine.contract.ts";
import { must } from "../process/programs.ts";
import { temporaryDirectory } from "../registry.ts";
import type { Scope } from "../scope.ts";
import { containers, type Document, isAnonymous, PROJECT } from "./containers.ts";
import { docker, ensureImage, IMAGE, inspectThere, leftoversOf } from "./docker.ts";
import { reapWhenKilled } from "./reaper.ts";

const LIMIT = { limitMs: 300_000 };

/** As in docker-compose.yml, with limits, labels, aliases and an anonymous volume besides, which a twin has to keep. */
const COMPOSE_FILE = `
name: ${PROJECT}
x-member: &member
  image: ${PROJECT}
  init: true
  restart: "no"
  stop_grace_period: 12s
  read_only: true
  tmpfs: [/tmp]
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  # What has none is watched as well, and a node process every second is a lot for a small machine.
  healthcheck: { disable: true }
  logging: { driver: local, options: { max-size: 5m, max-file: "2" } }
services:
  server-1:
    <<: *member
    labels: { evenkeel.role: server, evenkeel.reports: "yes" }
    environment: { ROLE: server, ID: server-1, GROUP: "1" }
    volumes: ["registry:/run/evenkeel:ro"]
  server-2:
    <<: *member
    environment: { ROLE: server, ID: server-2, GROUP: "1" }
    volumes: ["registry:/run/evenkeel:ro", "/var/data", { type: tmpfs, target: /scratch }]
    ports: ["127.0.0.1::9002"]
    mem_limit: 300m
    pids_limit: 90
    ulimits: { nofile: { soft: 2048, hard: 4096 } }
    labels: { evenkeel.role: server, evenkeel.reports: "yes", org.example.odd: 'with "quotes", = and spaces' }
    networks: { default: { aliases: [two, zwei] }, back: { aliases: [hinten] } }
  bystander:
    <<: *member
    profiles: [others]
    environment: { ROLE: server, ID: bystander }
  unstartable:
    <<: *member
    profiles: [others]
    labels: { evenkeel.role: server, evenkeel.reports: "yes" }
    environment: { ROLE: server, ID: unstartable }
    init: false
    entrypoint: /there/is/no/such/program
  # Says before its start is over that it drains, long ago, and then where it listens: at a port by the number of its run.
  quick:
    <<: *member
    profiles: [others]
    labels: { evenkeel.role: server, evenkeel.reports: "yes" }
    environment: { ROLE: server, ID: quick, GROUP: "1", PORT_RANGE: 1-9, REPORT_NONCE: quick-and-its-own }
    init: false
    read_only: false
    user: root
    entrypoint:
      - sh
      - -c
      - |
        echo >>/runs
        echo '{"event":"draining","time":"2020-01-01T00:00:00.000Z","nonce":"quick-and-its-own"}'
        echo '{"event":"listening","port":'$$(wc -l </runs)',"adminPort":9101,"nonce":"quick-and-its-own"}'
        exec sleep 60
networks: { back: }
volumes: { registry: }
`;

/** Compose on the project, with what it printed on both streams. */
export type Compose = (...parameters: readonly string[]) => Promise<string>;

export interface DockerStage extends Stage {
  /** The registry's directory, which another engine may be opened on as well. */
  readonly directory: string;
}

export interface Project {
  readonly compose: Compose;
  /** With these variables too. */
  readonly composeWith: (env: Readonly<Record<string, string>>, ...parameters: readonly string[]) => Promise<string>;
  /** An engine on the project while both servers run, with a memory of its own. */
  readonly open: (scope: Scope, service: string) => Promise<DockerStage>;
  /** The next engine, on the project as it is, with the memory of the one before. */
  readonly reopen: (before: DockerStage) => Promise<DockerStage>;
  /** Compose forgets an anonymous volume once a successor has inherited it by name: whoever was seen is removed in the end. */
  readonly noteVolumes: () => Promise<void>;
  /** Containers, networks and volumes with the project's label. */
  readonly leftovers: () => Promise<string[]>;
}

/** Brings the project up for as long as the scope lives. @param composeFile its text */
export async function bringUp(scope: Scope, composeFile = COMPOSE_FILE, env = {}): Promise<Project> {
  await ensureImage();
  // Under a name of its own: whoever builds another checkout meanwhile gives the usual one to another image.
  await docker("tag", IMAGE, PROJECT);
  reapWhenKilled(PROJECT);
  const file = join(await temporaryDirectory(scope), "compose.yml");
  await writeFile(file, composeFile);
  const composeWith: Project["composeWith"] = async (env, ...parameters) => {
    const words = ["compose", "--progress", "plain", "-f", file, ...parameters];
    const { stdout, stderr } = await must("docker", words, { ...LIMIT, env });
    return stdout + stderr;
  };
  const compose: Compose = (...parameters) => composeWith(env, ...parameters);
  const volumes = new Set<string>();
  const noteVolumes = async () => {
    for (const { Mounts } of await inspectThere<Document>(await containers())) {
      for (const mount of Mounts) if (isAnonymous(mount)) volumes.add(mount.Name as string);
    }
  };
  scope.after(async () => {
    await noteVolumes();
    await compose("--profile", "others", "down", "--volumes", "--remove-orphans", "--timeout", "2");
    for (const volume of volumes) await docker("volume", "rm", "--force", volume);
    await docker("rmi", PROJECT);
  });
  await compose("up", "--detach");

  async function open(owner: Scope, service: string): Promise<DockerStage> {
    const stage = await openStage(service, await temporaryDirectory(owner));
    if ((await containers("status=running")).length !== 2) await compose("up", "--detach");
    await noteVolumes();
    // A fact that failed may have left a successor that is not verified.
    for (const { succeeds, instance } of await stage.discovery.list())
      if (succeeds) await stage.runner.remove(instance);
    return stage;
  }

  const reopen = (before: DockerStage) => openStage(before.slot.id, before.directory);

  return { compose, composeWith, open, reopen, noteVolumes, leftovers: () => leftoversOf(PROJECT) };
}

async function openStage(service: string, directory: string): Promise<DockerStage> {
  const environment = { ROLE: "watchdog", ENGINE: "docker", COMPOSE_PROJECT_NAME: PROJECT };
  const read = readSettings({ ...environment, REGISTRY_FILE: join(directory, "registry.json") });
  assert.ok(read.ok);
  const engine = await openDockerEngine(read.settings, () => {});
  await engine.discovery.list();
  const slot: Slot = { id: service, role: "server", group: "1" };
  return {
    ...engine,
    slot,
    directory,
    kill: async ({ instance }) => void (await docker("kill", "--signal", "KILL", instance)),
    freeze: async ({ instance }) => void (await docker("kill", "--signal", "STOP", instance)),
    isThere: async ({ instance }) => (await inspectThere([instance])).length === 1,
  };
}
