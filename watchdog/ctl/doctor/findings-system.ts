// Pure. What doctor finds in what it looked at on either engine: (look) -> findings, each with what to do.

import { type Finding, fault, findingsOf, type Problem, warning } from "./finding.ts";
import type { MemberLook, SystemLook, UrlAnswer } from "./look-system.ts";

/** As in package.json. */
const NODE_MIN = [20, 19] as const;
interface Words {
  /** What starts the watchdog, and what all members, or says why they do not run. */
  readonly start: string;
  readonly startAll: string;
  readonly replacedBy: string;
  /** Where a member's lines are. */
  readonly linesOf: (id: string) => string;
}

function wordsOf(engine: SystemLook["engine"]): Words {
  switch (engine) {
    case "docker":
      return {
        start: "docker compose up -d watchdog",
        startAll: "docker compose up -d",
        replacedBy: "the watchdog",
        linesOf: (id) => `docker compose logs | grep "^${id}"`,
      };
    case "swarm":
      return {
        start: "docker service ps STACK_watchdog says why it does not run",
        startAll: "docker stack ps STACK says why they do not run",
        replacedBy: "Swarm",
        linesOf: () => "docker service logs of its service",
      };
    default: {
      const linesOf = () => "its lines in the watchdog's output";
      return { start: "npm start", startAll: "npm start", replacedBy: "the watchdog", linesOf };
    }
  }
}

const INSIDE = "with Docker, run doctor inside: docker compose exec watchdog node watchdogctl.js doctor";

export function programFindings({ engine, node, evenkeel }: SystemLook): Finding[] {
  const minimum = NODE_MIN.join(".");
  const old = fault(`Node ${node} is older than ${minimum}`, `install Node ${minimum} or newer`);
  return [
    ...findingsOf("engine", `ENGINE=${engine}`, []),
    ...findingsOf("versions", `evenkeel ${evenkeel} on Node ${node}`, isOlder(node, NODE_MIN) ? [old] : []),
  ];
}

export function registryFindings({ directory, registryFile, registry, engine }: SystemLook): Finding[] {
  const { path, problem } = directory;
  const { start: own } = wordsOf(engine);
  const start = engine === "process" ? `${own}; ${INSIDE}` : own;
  const unwritable = fault(`${path} cannot be written (${problem})`, `let REGISTRY_FILE be in one that can; ${start}`);
  const version = registry.ok ? `version ${registry.registry.version} of ${registry.registry.writtenAt}` : "";
  const unreadable = registry.ok
    ? []
    : [fault(`${registryFile}: ${registry.reason}`, `the watchdog writes it: ${start}`)];
  return [
    ...findingsOf("registry directory", `${path} can be written`, problem === undefined ? [] : [unwritable]),
    ...findingsOf("registry", version, unreadable),
  ];
}

export function memberFindings({ members, engine, registry }: SystemLook): Finding[] {
  if (!registry.ok) return [];
  const count = members.length;
  const { startAll: start } = wordsOf(engine);
  const fine = `${count} of ${count} serve and answer on their ports`;
  if (count === 0) return findingsOf("members", fine, [fault("the registry names no member", start)]);
  const deaf = members.every(({ traffic }) => traffic.kind === "silent");
  if (deaf) return findingsOf("members", fine, [fault(`not one of ${count} members answers on its port`, start)]);
  return findingsOf(
    "members",
    fine,
    members.flatMap((member) => memberProblems(member, engine)),
  );
}

export function answerFindings({ balancer, watchdog, engine }: SystemLook): Finding[] {
  return [
    ...findingsOf("balancer", `answers at ${balancer.url}`, balancerProblems(balancer)),
    ...findingsOf("watchdog", `ready at ${watchdog.url}`, watchdogProblems(watchdog, engine)),
  ];
}

function memberProblems(member: MemberLook, engine: SystemLook["engine"]): Problem[] {
  const { id, state, address, traffic, admin } = member;
  const mistaken = mistakenLabel(member);
  if (mistaken !== undefined) return [mistaken];
  const { linesOf, replacedBy } = wordsOf(engine);
  const lines = linesOf(id);
  const look = `see watchdogctl incidents; if ${replacedBy} does not replace it, see ${lines}`;
  if (state === "down") return [warning(`${id} is down`, look)];
  for (const answer of [traffic, admin]) {
    if (answer?.kind === "silent") return [fault(`${id} does not answer at ${address} (${answer.reason})`, look)];
  }
  if (admin?.kind === "refused")
    return [warning(`${id} answers ${admin.status}: it would take no traffic`, `see ${lines}`)];
  return state === "serving" ? [] : [warning(`${id} is ${state}`, "ask again in a moment, or see watchdogctl status")];
}

/** Of a program that is not ours, all that is known of it is what its labels say. */
function mistakenLabel({ id, address, health, traffic, admin }: MemberLook): Problem | undefined {
  if (admin !== undefined || traffic.kind === "passed") return undefined;
  if (traffic.kind === "refused") {
    const what = `${id}: GET ${health} answered ${traffic.status}; wanted 200 to 399`;
    return fault(what, "let evenkeel.health name a path that answers so while it is well, or see its log");
  }
  if (traffic.reason !== "ECONNREFUSED") return undefined;
  const fix =
    "if its program runs, set evenkeel.port to where it listens, or let it listen on all addresses and not on its own loopback alone";
  return fault(`${id}: nothing listens at ${address}`, fix);
}

function balancerProblems(answer: UrlAnswer): Problem[] {
  const { url } = answer;
  if (answer.kind === "silent") {
    return [
      fault(`nobody answers at ${url} (${answer.reason})`, "see watchdogctl status for what becomes of the balancer"),
    ];
  }
  if (answer.status < 500) return [];
  return [
    fault(
      `${url} answers ${answer.status}`,
      "see above which members do not serve, or the log of the server that answered so",
    ),
  ];
}

function watchdogProblems(answer: UrlAnswer, engine: SystemLook["engine"]): Problem[] {
  const { url } = answer;
  const { start } = wordsOf(engine);
  if (answer.kind === "silent") {
    return [fault(`nobody answers at ${url} (${answer.reason})`, `${start}, or say where it is with --url`)];
  }
  if (answer.body === "ready\n" || answer.body === "standing by\n") return [];
  if (answer.body === "not ready\n") {
    return [warning("it runs, and is not ready: some slot is still on its way", "see watchdogctl status")];
  }
  const [, reason] = /^not ready: (.+)\n$/.exec(answer.body) ?? [];
  if (reason !== undefined)
    return [fault(reason, "mend that: until then what runs goes on, and heals may not be known to the others")];
  return [
    fault(
      `what answers at ${url} is no watchdog of ours`,
      "set WATCHDOG_PORT to a free port, or say where it is with --url",
    ),
  ];
}

/** @param minimum major and minor */
export function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}
