// Pure. What doctor makes of the Docker engine and of the Compose project: (look) -> findings, each with what to do.

import type { ContainerInspectInfo } from "dockerode";
import { composeLabel, isOneOff } from "../engines/docker/compose-labels.ts";
import { isLeftover, isPrevious, nameOf } from "../engines/docker/container-names.ts";
import { lifeOf, slotOf } from "../engines/docker/containers/inspected.ts";
import { type Finding, fault, type Trouble, verdict, warning } from "./finding.ts";
import { isOlder } from "./findings-here.ts";
import type { DockerLook } from "./look-docker.ts";

type Reached = Extract<DockerLook, { kind: "reached" }>;

/** Compose knows its own by these, and would make a second container beside one that lacks them. */
const LABELS = [composeLabel.service, composeLabel.number, composeLabel.configHash];
/** The first that takes an env_file which need not be there. */
const COMPOSE_MIN = [2, 24] as const;

export function dockerFindings(look: DockerLook): Finding[] {
  if (look.kind === "refused") return verdict("docker", "", [refusal(look.line)]);
  const docker = verdict("docker", `Docker ${look.version}, API ${look.api}`, []);
  return [
    ...docker,
    ...(look.project === undefined ? verdict("compose project", "", [NO_PROJECT]) : projectFindings(look)),
  ];
}

const NO_PROJECT = fault(
  "we are part of no Compose project",
  "run it inside: docker compose exec watchdog node watchdogctl.js doctor; or set COMPOSE_PROJECT_NAME",
);

function refusal(line: string): Trouble {
  const [what, ...fix] = line.split(": ");
  return fault(what as string, fix.join(": "));
}

function projectFindings({ project, containers, remembered }: Reached): Finding[] {
  const ours = containers.filter((container) => roleOf(container) !== undefined);
  const watchdogs = ours.filter((container) => roleOf(container) === "watchdog" && container.State.Running);
  const members = ours.filter((container) => roleOf(container) !== "watchdog" && !isOneOff(container.Config.Labels));
  const settled = members.filter((container) => !isSpare(container));
  return [
    ...verdict("compose project", `${project}, made by Compose ${composeOf(ours)}`, composeTroubles(ours)),
    ...verdict(
      "containers",
      `one for each of ${settled.length} slots`,
      slotTroubles(settled, absent(remembered, ours)),
    ),
    ...verdict("leftovers", "none", members.filter(isSpare).map(leftoverTrouble)),
    ...verdict("labels", "as Compose set them", ours.flatMap(labelTroubles)),
    ...verdict("one image", "all run the same", imageTroubles([...settled, ...watchdogs])),
    ...verdict("one healer", "the watchdog alone", [
      ...settled.flatMap(policyTroubles),
      ...watchdogTroubles(watchdogs),
    ]),
  ];
}

function composeTroubles(ours: readonly ContainerInspectInfo[]): Trouble[] {
  if (ours.length === 0) return [fault("the project has no container of ours", "docker compose up -d")];
  const version = composeOf(ours);
  if (version === "unknown" || !isOlder(version, COMPOSE_MIN)) return [];
  const minimum = COMPOSE_MIN.join(".");
  return [warning(`Compose ${version} is older than ${minimum}`, `upgrade Docker Compose to ${minimum} or newer`)];
}

/** What the watchdog remembers besides itself, or others like it. */
function absent(remembered: readonly string[], ours: readonly ContainerInspectInfo[]): string[] {
  const watchdogs = new Set(ours.filter((container) => roleOf(container) === "watchdog").map((one) => slotOf(one)?.id));
  return remembered.filter((slot) => !watchdogs.has(slot));
}

function slotTroubles(settled: readonly ContainerInspectInfo[], remembered: readonly string[]): Trouble[] {
  const bySlot = new Map<string, ContainerInspectInfo[]>(remembered.map((slot) => [slot, []]));
  for (const container of settled) {
    const slot = slotOf(container)?.id;
    if (slot !== undefined) bySlot.set(slot, [...(bySlot.get(slot) ?? []), container]);
  }
  return [...bySlot].flatMap(([slot, filling]) => slotTrouble(slot, filling));
}

function slotTrouble(slot: string, [first, ...others]: readonly ContainerInspectInfo[]): Trouble[] {
  if (first === undefined) {
    return [
      warning(
        `${slot} has no container`,
        `unless that is meant or the watchdog is at it: docker compose up -d ${slot}`,
      ),
    ];
  }
  if (others.length > 0) {
    const names = [first, ...others].map(nameOf).join(" and ");
    return [
      fault(`${slot} has ${others.length + 1} containers: ${names}`, "keep one: docker rm -f NAME of the others"),
    ];
  }
  const life = lifeOf(first);
  if (life.kind === "running") return [];
  const what = life.kind === "exited" ? `exited with code ${life.code}` : life.kind;
  const back = life.kind === "paused" ? "unpause" : "start";
  return [warning(`${slot} does not run: ${what}`, `unless that is meant: docker compose ${back} ${slot}`)];
}

function leftoverTrouble(container: ContainerInspectInfo): Trouble {
  const name = nameOf(container);
  if (isPrevious(container)) {
    return warning(
      `${name} stands aside`,
      "unless a heal is under way, the next watchdog ends it: docker compose restart watchdog",
    );
  }
  return warning(`${name} is left of a docker compose up that was cut short`, `docker rm -f ${name}`);
}

function labelTroubles(container: ContainerInspectInfo): Trouble[] {
  const missing = LABELS.filter((label) => !container.Config.Labels[label]);
  if (missing.length === 0) return [];
  const names = missing.join(", ");
  const name = nameOf(container);
  return [
    fault(`${name} has no ${names}: Compose does not know it`, `docker rm -f ${name}, then docker compose up -d`),
  ];
}

function imageTroubles(containers: readonly ContainerInspectInfo[]): Trouble[] {
  const counts = new Map<string, number>();
  for (const { Image } of containers) counts.set(Image, (counts.get(Image) ?? 0) + 1);
  const [usual] = [...counts].sort(([, one], [, other]) => other - one);
  const odd = containers.filter(({ Image }) => Image !== usual?.[0]).map(nameOf);
  return odd.length === 0 ? [] : [warning(`another image than the others: ${odd.join(", ")}`, "docker compose up -d")];
}

function policyTroubles(container: ContainerInspectInfo): Trouble[] {
  const policy = policyOf(container);
  if (policy === "no") return [];
  const name = nameOf(container);
  return [fault(`${name} has restart: ${policy}`, `set restart: "no" in the Compose file, then docker compose up -d`)];
}

function watchdogTroubles([first, ...others]: readonly ContainerInspectInfo[]): Trouble[] {
  if (first === undefined) return [fault("no watchdog runs in the project", "docker compose up -d watchdog")];
  const names = [first, ...others].map(nameOf).join(" and ");
  const policy = policyOf(first);
  return [
    ...(others.length > 0
      ? [
          warning(
            `${others.length + 1} watchdogs run: ${names}`,
            "unless that is meant: docker rm -f NAME of the others",
          ),
        ]
      : []),
    ...(policy === "no"
      ? [
          warning(
            "nobody starts the watchdog again when it ends",
            "set restart: always for it, then docker compose up -d",
          ),
        ]
      : []),
  ];
}

function roleOf({ Config }: ContainerInspectInfo): string | undefined {
  return Config.Env?.find((entry) => entry.startsWith("ROLE="))?.slice("ROLE=".length);
}

/** It fills no slot by itself: a heal, or a `docker compose up`, made it so for a while. */
function isSpare(container: ContainerInspectInfo): boolean {
  return isPrevious(container) || isLeftover(container);
}

function composeOf(containers: readonly ContainerInspectInfo[]): string {
  return containers[0]?.Config.Labels[composeLabel.version] ?? "unknown";
}

const policyOf = ({ HostConfig }: ContainerInspectInfo) => HostConfig.RestartPolicy?.Name || "no";
