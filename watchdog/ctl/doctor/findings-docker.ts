// Pure. What doctor finds in the Docker engine and in the Compose project: (look) -> findings, each with what to do.

import type { ContainerInspectInfo } from "dockerode";
import { takesTraffic } from "../../../services/runtime/roles.ts";
import { reports } from "../../desired/slot.ts";
import { composeLabel, isOneOff } from "../../engines/docker/compose-labels.ts";
import { isLeftover, isPrevious, nameOf } from "../../engines/docker/container-names.ts";
import { lifeOf } from "../../engines/docker/containers/inspected.ts";
import { obstacleOf } from "../../engines/docker/containers/obstacle.ts";
import { slotOf } from "../../engines/docker/containers/slot.ts";
import { type Finding, fault, findingsOf, type Problem, warning } from "./finding.ts";
import { labelProblems, roleOf } from "./findings-labels.ts";
import { portProblems } from "./findings-ports.ts";
import { isOlder } from "./findings-system.ts";
import type { DockerLook } from "./look-docker.ts";

type Reached = Extract<DockerLook, { kind: "reached" }>;

/** The first Compose that takes an env_file which need not be there. */
const COMPOSE_MIN = [2, 24] as const;

/** What the watchdog knows, by its registry. */
export interface KnownMembers {
  readonly ids: ReadonlySet<string>;
  /** Whoever started later than this, by the engine's clock, may be on its way there. */
  readonly startedBeforeMs: number;
}

/** @param known undefined: there is no registry to tell */
export function dockerFindings(look: DockerLook, known?: KnownMembers): Finding[] {
  if (look.kind === "refused") return findingsOf("docker", "", [refusal(look.line)]);
  const docker = findingsOf("docker", `Docker ${look.version}, API ${look.api}`, []);
  return [
    ...docker,
    ...(look.project === undefined ? findingsOf("compose project", "", [NO_PROJECT]) : projectFindings(look, known)),
  ];
}

const NO_PROJECT = fault(
  "we are part of no Compose project",
  "run it inside: docker compose exec watchdog node watchdogctl.js doctor; or set COMPOSE_PROJECT_NAME",
);

function refusal(line: string): Problem {
  const [what, ...fix] = line.split(": ");
  return fault(what as string, fix.join(": "));
}

function projectFindings({ project, containers, remembered }: Reached, known: KnownMembers | undefined): Finding[] {
  const ours = containers.filter((container) => roleOf(container) !== undefined);
  const watchdogs = ours.filter((container) => roleOf(container) === "watchdog" && container.State.Running);
  const members = ours.filter((container) => roleOf(container) !== "watchdog" && !isOneOff(container.Config.Labels));
  const current = members.filter((container) => !isSpare(container));
  // What else is odd about these has the same cause: they are no members yet, or were never meant to be.
  const unknown = current.filter((container) => isUnknown(container, known));
  const others = current.filter((container) => !unknown.includes(container));
  const refused = portProblems(ours);
  // Compose gives up at a port that is taken: what it had only created by then, the watchdog perhaps, has the same cause.
  const isCutShort = refused.length > 0;
  return [
    ...findingsOf("compose project", `${project}, made by Compose ${composeOf(ours)}`, composeProblems(ours)),
    ...findingsOf(
      "containers",
      `one for each of ${current.length} slots`,
      slotProblems(current, memberSlots(remembered, ours), isCutShort),
    ),
    ...refused.flatMap((problem) => findingsOf("ports", "", [problem])),
    ...unknown.flatMap((one) => findingsOf("known members", "", [unknownProblem(one, [...watchdogs, ...others])])),
    ...findingsOf("leftovers", "none", members.filter(isSpare).map(leftoverProblem)),
    ...findingsOf("labels", "as they should be", labelProblems(containers, ours)),
    ...findingsOf("one image", "all run the same", imageProblems([...others, ...watchdogs])),
    ...findingsOf("one healer", "the watchdog alone", [
      ...others.filter(isProgramOfOurs).flatMap(policyProblems),
      ...(isCutShort && watchdogs.length === 0 ? [] : watchdogProblems(watchdogs)),
    ]),
  ];
}

function composeProblems(ours: readonly ContainerInspectInfo[]): Problem[] {
  if (ours.length === 0) return [fault("the project has no container of ours", "docker compose up -d")];
  const version = composeOf(ours);
  if (version === "unknown" || !isOlder(version, COMPOSE_MIN)) return [];
  const minimum = COMPOSE_MIN.join(".");
  return [warning(`Compose ${version} is older than ${minimum}`, `upgrade Docker Compose to ${minimum} or newer`)];
}

/** The slots that the watchdog remembers, but for its own and those of others like it. */
function memberSlots(remembered: readonly string[], ours: readonly ContainerInspectInfo[]): string[] {
  const watchdogs = new Set(ours.filter((container) => roleOf(container) === "watchdog").map((one) => slotOf(one)?.id));
  return remembered.filter((slot) => !watchdogs.has(slot));
}

/** @param isCutShort those that are only created are nothing odd */
function slotProblems(
  current: readonly ContainerInspectInfo[],
  remembered: readonly string[],
  isCutShort: boolean,
): Problem[] {
  const bySlot = new Map<string, ContainerInspectInfo[]>(remembered.map((slot) => [slot, []]));
  for (const container of current) {
    const slot = slotOf(container)?.id;
    if (slot !== undefined) bySlot.set(slot, [...(bySlot.get(slot) ?? []), container]);
  }
  const isExcused = (filling: readonly ContainerInspectInfo[]) => isCutShort && filling.some(isOnlyCreated);
  const services = new Set(current.map(serviceIn));
  return [...bySlot].flatMap(([slot, filling]) => (isExcused(filling) ? [] : slotProblem(slot, filling, services)));
}

function slotProblem(
  slot: string,
  [first, ...others]: readonly ContainerInspectInfo[],
  services: ReadonlySet<string>,
): Problem[] {
  if (first === undefined) {
    // A replica, where others of its service are there.
    const stem = slot.replace(/-\d+$/, "");
    const service = services.has(stem) && !services.has(slot) ? stem : slot;
    return [
      warning(
        `${slot} has no container`,
        `unless that is meant or the watchdog is at it: docker compose up -d ${service}`,
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
  const isDone = life.kind === "exited" && life.code === 0 && slotOf(first)?.role === "worker";
  if (life.kind === "running" || isDone) return [];
  const what = life.kind === "exited" ? `exited with code ${life.code}` : life.kind;
  const back = life.kind === "paused" ? "unpause" : "start";
  return [warning(`${slot} does not run: ${what}`, `unless that is meant: docker compose ${back} ${serviceIn(first)}`)];
}

function serviceIn({ Config }: ContainerInspectInfo): string {
  return Config.Labels[composeLabel.service] ?? "";
}

const isOnlyCreated = (container: ContainerInspectInfo) => lifeOf(container).kind === "created";

function leftoverProblem(container: ContainerInspectInfo): Problem {
  const name = nameOf(container);
  if (isPrevious(container)) {
    return warning(
      `${name} is a previous container, kept for a rollback`,
      "unless a heal is under way, the next watchdog removes it: docker compose restart watchdog",
    );
  }
  return warning(`${name} is left of a docker compose up that was cut short`, `docker rm -f ${name}`);
}

/** By the name of their image: containers of one name are of one build, unless only some were made again since the last. */
function imageProblems(containers: readonly ContainerInspectInfo[]): Problem[] {
  const names = new Set(containers.map(({ Config }) => Config.Image));
  return [...names].flatMap((name) => oddBuilds(containers.filter(({ Config }) => Config.Image === name)));
}

function oddBuilds(containers: readonly ContainerInspectInfo[]): Problem[] {
  const counts = new Map<string, number>();
  for (const { Image } of containers) counts.set(Image, (counts.get(Image) ?? 0) + 1);
  const [usual] = [...counts].sort(([, one], [, other]) => other - one);
  const odd = containers.filter(({ Image }) => Image !== usual?.[0]).map(nameOf);
  const what = `another build of their image than the others: ${odd.join(", ")}`;
  return odd.length === 0 ? [] : [warning(what, "docker compose up -d")];
}

/** It runs and takes traffic by its role, and has had the time to become known. */
function isUnknown(container: ContainerInspectInfo, known: KnownMembers | undefined): boolean {
  const slot = slotOf(container);
  const life = lifeOf(container);
  if (known === undefined || slot === undefined || !takesTraffic(slot.role) || known.ids.has(slot.id)) return false;
  return life.kind === "running" && life.sinceMs < known.startedBeforeMs;
}

/** @param known the watchdogs, and the members that are known */
function unknownProblem(container: ContainerInspectInfo, known: readonly ContainerInspectInfo[]): Problem {
  const near = known.filter((other) => ["watchdog", "balancer", "proxy"].includes(roleOf(other) ?? ""));
  const networks = new Set(near.flatMap(({ NetworkSettings }) => Object.keys(NetworkSettings?.Networks ?? {})));
  const { what, fix } = obstacleOf(container, networks);
  return fault(`${slotOf(container)?.id ?? nameOf(container)} runs and gets no traffic: ${what}`, fix);
}

/** A service of the user's may have the policy that it likes: the watchdog waits for the engine. */
function isProgramOfOurs(container: ContainerInspectInfo): boolean {
  const slot = slotOf(container);
  return slot !== undefined && reports(slot);
}

function policyProblems(container: ContainerInspectInfo): Problem[] {
  const policy = policyOf(container);
  if (policy === "no") return [];
  const name = nameOf(container);
  return [fault(`${name} has restart: ${policy}`, `set restart: "no" in the Compose file, then docker compose up -d`)];
}

const isStandby = ({ Config }: ContainerInspectInfo) => (Config.Env ?? []).includes("STANDBY=yes");

function watchdogProblems(watchdogs: readonly ContainerInspectInfo[]): Problem[] {
  const [first, ...others] = watchdogs.filter((watchdog) => !isStandby(watchdog));
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

/** It fills no slot by itself: a heal, or a `docker compose up`, made it so for a while. */
function isSpare(container: ContainerInspectInfo): boolean {
  return isPrevious(container) || isLeftover(container);
}

function composeOf(containers: readonly ContainerInspectInfo[]): string {
  return containers[0]?.Config.Labels[composeLabel.version] ?? "unknown";
}

const policyOf = ({ HostConfig }: ContainerInspectInfo) => HostConfig.RestartPolicy?.Name || "no";
