// Pure. What a Swarm service is to us. Labels of ours stand under `deploy.labels`, which are the service's own; a service without any is
// one of ours when its environment says which (`ROLE`), and says where it listens. All else is none of our business.

import { isRole, type TrafficRole, takesTraffic } from "../../../services/runtime/roles.ts";
import { readLabels, type ServiceLabels } from "../../desired/labels.ts";
import type { Ports } from "../discovery.ts";
import { environmentOf } from "../docker/containers/inspected.ts";
import type { SwarmService } from "./answers.ts";

export type ServiceKind =
  /** It takes no requests: Swarm looks after it, and we have nothing to do with it. */
  | { readonly kind: "none" }
  | {
      readonly kind: "member";
      readonly role: TrafficRole;
      readonly group: string | undefined;
      readonly ports: Ports;
      /** What its program puts into its reports, where its environment says so. */
      readonly nonce?: string;
      /** Absent: a program of ours, without any. */
      readonly labels?: ServiceLabels;
    }
  | { readonly kind: "faulty"; readonly faults: readonly string[] };

export interface KnownService {
  /** Without the stack's. */
  readonly name: string;
  readonly is: ServiceKind;
}

/** Every tier reaches every member: a share of its own for each proxy would go with a node. */
const ALL = "1";
const PREFIX = "evenkeel.";
const FAULTS_MAX = 8;
const NAME_SHOWN = 64;

/** The name of a service, or a network, without that of its stack. */
export function bareNameOf(name: string, stack: string): string {
  return name.startsWith(`${stack}_`) ? name.slice(stack.length + 1) : name;
}

export function knownService({ Spec }: SwarmService, stack: string): KnownService {
  const { Labels, TaskTemplate } = Spec;
  const { Labels: onContainer, Env } = TaskTemplate.ContainerSpec ?? {};
  const known = (is: ServiceKind): KnownService => ({ name: bareNameOf(Spec.Name, stack), is });
  const misplaced = misplacedLabels(Labels ?? {}, onContainer ?? {});
  if (misplaced.length > 0) return known({ kind: "faulty", faults: misplaced });
  const read = readLabels(Labels);
  const environment = environmentOf(Env);
  switch (read.kind) {
    case "none":
      return known(programOfOurs(environment.get("ROLE"), environment));
    case "faulty":
      return known(read);
    case "read":
      return known(labelled(read.labels, environment));
    default:
      return read satisfies never;
  }
}

type Labels = Readonly<Record<string, string>>;

/** What stands under both with one value is the same Compose file, used with and without Swarm. */
function misplacedLabels(onService: Labels, onContainer: Labels): string[] {
  const names = Object.keys(onContainer).filter(
    (name) => name.startsWith(PREFIX) && onService[name] !== onContainer[name],
  );
  return names
    .slice(0, FAULTS_MAX)
    .map(
      (name) =>
        `${name.slice(0, NAME_SHOWN)} stands under labels, where Swarm does not show it: move it under deploy.labels`,
    );
}

function labelled(labels: ServiceLabels, environment: Environment): ServiceKind {
  const { role, port, reports, group } = labels;
  if (!takesTraffic(role)) return { kind: "none" };
  if (reports) {
    const own = programOfOurs(role, environment);
    return own.kind === "member" ? { ...own, labels, group: group ?? own.group } : own;
  }
  // The manager knows the spec, and not what the image exposes.
  if (port === undefined) return faulty("evenkeel.port is not set: set it under deploy.labels to where it listens");
  return { kind: "member", role, labels, ports: { port }, group: group ?? ALL };
}

/** Each task has a network of its own, so that its ports can be fixed, and nobody has to say them. */
function programOfOurs(role: string | undefined, environment: Environment): ServiceKind {
  if (!isRole(role) || !takesTraffic(role)) return { kind: "none" };
  const [port, adminPort] = ["PORT", "ADMIN_PORT"].map((name) => portOf(environment.get(name)));
  if (port === undefined || adminPort === undefined) {
    const what = `it is a ${role} of ours by its ROLE, and ${port === undefined ? "PORT" : "ADMIN_PORT"} is no port`;
    return faulty(
      `${what}: set PORT and ADMIN_PORT in its environment, or, if it is yours, evenkeel.port under deploy.labels`,
    );
  }
  const group = role === "balancer" ? undefined : environment.get("GROUP") || ALL;
  const nonce = environment.get("REPORT_NONCE");
  return { kind: "member", role, ports: { port, adminPort }, group, ...(nonce && { nonce }) };
}

type Environment = ReadonlyMap<string, string>;

function portOf(text: string | undefined): number | undefined {
  const port = /^\d{1,5}$/.test(text ?? "") ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

function faulty(fault: string): ServiceKind {
  return { kind: "faulty", faults: [fault] };
}
