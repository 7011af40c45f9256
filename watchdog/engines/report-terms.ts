// The terms on which a member's reports are believed, from the environment that it was started with: what it has to echo, and the
// ports that its role may listen on. Whoever can make a member print a line, a client say, knows neither.

import { randomBytes } from "node:crypto";
import { readSettings } from "../../services/runtime/config.ts";
import { adminPorts, trafficPorts } from "../../services/runtime/ports.ts";
import type { Role } from "../../services/runtime/roles.ts";

export interface ReportTerms {
  /** Stands in each of its reports; undefined: unknown, and not asked for. */
  readonly nonce: string | undefined;
  /** It may not know of nonces, and say once in a run where it listens, but nothing else. */
  readonly mayOmit: boolean;
  readonly ports: { readonly traffic: ReadonlySet<number>; readonly admin: ReadonlySet<number> };
}

export interface StartedWith {
  readonly role: Role;
  readonly environment: NodeJS.ProcessEnv;
  /** What our programs echo that were started without a nonce. */
  readonly hostname: string | undefined;
}

/** The settings that say where a member listens. */
const PORT_SETTINGS = ["ID", "PORT", "PORT_RANGE", "ADMIN_PORT", "ADMIN_PORT_RANGE", "BALANCER_PORT", "WATCHDOG_PORT"];
const NONCE_BYTES = 16;

/** For one start of one member. */
export function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString("hex");
}

export function termsOf({ role, environment, hostname }: StartedWith): ReportTerms {
  const given = environment.REPORT_NONCE || undefined;
  return { nonce: given ?? (hostname || undefined), mayOmit: given === undefined, ports: portsOf(role, environment) };
}

function portsOf(role: Role, environment: NodeJS.ProcessEnv): ReportTerms["ports"] {
  const given = PORT_SETTINGS.map((name) => [name, environment[name]]);
  const read = readSettings({ ...Object.fromEntries(given), ROLE: role });
  // One of ours refuses to start with such settings; another's are not for us.
  const usable = read.ok ? read : readSettings({ ROLE: role });
  if (!usable.ok) throw new Error(usable.faults.join("; "));
  const traffic = new Set(trafficPorts(usable.settings).candidates);
  // A watchdog has one port for all.
  const admin = role === "watchdog" ? traffic : new Set(adminPorts(usable.settings).candidates);
  return { traffic, admin };
}
