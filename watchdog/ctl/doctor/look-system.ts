// What doctor looks at on either engine: versions, the registry and its directory, and who answers at which port. It changes
// nothing, and draws no conclusion: findings-system.ts does.

import { access, constants, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fetchText } from "../../../services/command-line/fetch-text.ts";
import { type ParsedRegistry, parseRegistry, type RegistryMember } from "../../../services/registry/document.ts";
import { authorityOf, localUrl } from "../../../services/runtime/address.ts";
import type { Settings } from "../../../services/runtime/config.ts";
import { type ProbeResult, probe } from "../../../services/runtime/probe.ts";
import { version } from "../../../services/runtime/version.ts";

const ANSWER_MS_MAX = 5_000;
/** What others wrote may take longer than a program of ours. */
const FOREIGN_MS_MAX = 2_000;

export interface SystemLook {
  readonly engine: Settings["ENGINE"];
  readonly node: string;
  /** Our own version. */
  readonly evenkeel: string;
  /** `problem`: the system's code for why it cannot be written. */
  readonly directory: { readonly path: string; readonly problem: string | undefined };
  readonly registryFile: string;
  readonly registry: ParsedRegistry;
  readonly members: readonly MemberLook[];
  readonly balancer: UrlAnswer;
  /** Its /readyz. */
  readonly watchdog: UrlAnswer;
}

export interface MemberLook {
  readonly id: string;
  readonly state: RegistryMember["state"];
  readonly address: string;
  /** The path that it is known to be well by; absent: it has none, or is ours. */
  readonly health?: string | undefined;
  /** That path, or a connection to the port for traffic. */
  readonly traffic: ProbeResult;
  /** Its /readyz; undefined for a member that is not ours. */
  readonly admin: ProbeResult | undefined;
}

export type UrlAnswer = { readonly url: string } & (
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  | { readonly kind: "silent"; readonly reason: string }
);

export async function lookAtSystem(settings: Settings, watchdog: URL): Promise<SystemLook> {
  const { ENGINE, HOST, BALANCER_PORT, REGISTRY_FILE, PROBE_TIMEOUT_MS } = settings;
  const registry = await readRegistry(REGISTRY_FILE);
  const members = registry.ok ? registry.registry.members : [];
  const known = members.filter(({ state }) => state !== "down");
  const balancer = known.find(({ role }) => role === "balancer");
  return {
    engine: ENGINE,
    node: process.versions.node,
    evenkeel: version,
    directory: { path: dirname(REGISTRY_FILE), problem: await whyNotWritable(dirname(REGISTRY_FILE)) },
    registryFile: REGISTRY_FILE,
    registry,
    members: await Promise.all(members.map((member) => lookAt(member, PROBE_TIMEOUT_MS))),
    balancer: await answerOf(localUrl(balancer?.host ?? HOST, balancer?.port ?? BALANCER_PORT)),
    watchdog: await answerOf(new URL("/readyz", watchdog)),
  };
}

async function lookAt(member: RegistryMember, probeMs: number): Promise<MemberLook> {
  const { id, state, host, port, adminPort, health } = member;
  const timeoutMs = adminPort === undefined ? Math.max(probeMs, FOREIGN_MS_MAX) : probeMs;
  const question = { path: "/readyz", timeoutMs } as const;
  const [traffic, admin] = await Promise.all([
    probe({ host, port, healthPath: health }, { ...question, connection: "kept" }),
    adminPort === undefined ? undefined : probe({ host, port, adminPort }, question),
  ]);
  return { id, state, address: authorityOf(host, port), health, traffic, admin };
}

async function readRegistry(file: string): Promise<ParsedRegistry> {
  try {
    return parseRegistry(await readFile(file, "utf8"));
  } catch (error) {
    return { ok: false, reason: `it cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}

async function answerOf(url: URL): Promise<UrlAnswer> {
  const reply = await fetchText(url, { redirect: "manual", timeoutMs: ANSWER_MS_MAX });
  return { url: url.href, ...reply };
}

async function whyNotWritable(path: string): Promise<string | undefined> {
  return access(path, constants.W_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
}
