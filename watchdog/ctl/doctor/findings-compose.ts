// Pure. What a Compose file gets wrong about us, before anything of it runs: (what `docker compose config` says) -> findings.

import * as z from "zod";
import { containerPort } from "../../desired/container-port.ts";
import { groupFault } from "../../desired/groups-named.ts";
import { readLabels, type ServiceLabels } from "../../desired/labels.ts";
import { poolsOf, withRoutes } from "../../desired/pools.ts";
import type { Slot } from "../../desired/slot.ts";
import { type Finding, fault, findingsOf, type Problem, warning } from "./finding.ts";

const port = z.object({
  target: z.number(),
  published: z.union([z.string(), z.number()]).optional(),
  protocol: z.string().optional(),
});
const service = z.object({
  labels: z.record(z.string(), z.string()).nullish(),
  deploy: z
    .object({
      replicas: z.number().int().min(0).max(100_000).nullish(),
      labels: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
  environment: z.record(z.string(), z.string().nullable()).nullish(),
  expose: z.array(z.union([z.string(), z.number()])).nullish(),
  ports: z.array(port).nullish(),
  networks: z.record(z.string(), z.unknown()).nullish(),
  network_mode: z.string().nullish(),
  depends_on: z.record(z.string(), z.unknown()).nullish(),
});
const composeFile = z.object({ services: z.record(z.string(), service) });

type Service = z.output<typeof service>;

/** A service that is ours to look after. */
interface Ours {
  readonly name: string;
  readonly service: Service;
  readonly labels: ServiceLabels;
}

/** @returns undefined for what is no output of `docker compose config --format json` */
export function composeFindings(document: unknown): Finding[] | undefined {
  const { data } = composeFile.safeParse(document);
  if (data === undefined) return undefined;
  const services = Object.entries(data.services);
  const ours = services.flatMap(([name, each]): Ours[] => {
    const read = readLabels(each.labels);
    return read.kind === "read" ? [{ name, service: each, labels: read.labels }] : [];
  });
  const servers = ours.filter(({ labels: { role, reports } }) => role === "server" && !reports);
  return [
    ...findingsOf("labels", `${ours.length} services are looked after`, services.flatMap(labelProblems)),
    ...findingsOf("ports", "each server has one", servers.flatMap(portProblems)),
    ...findingsOf("networks", "tiers and servers meet", networkProblems(ours, servers)),
    ...findingsOf("names", "each member has its own", nameProblems(ours)),
    ...findingsOf("pools", "one takes the requests", [...poolProblems(servers), ...groupProblems(ours, servers)]),
    ...findingsOf("watchdog", "it is there, and stops first", watchdogProblems(ours)),
  ];
}

const MEND = "mend it in the Compose file";

function labelProblems([name, { labels, deploy }]: readonly [string, Service]): Problem[] {
  const read = readLabels(labels);
  const faults = read.kind === "faulty" ? read.faults.map((what) => fault(`${name}: ${what}`, MEND)) : [];
  const misplaced = Object.keys(deploy?.labels ?? {}).filter((label) => label.startsWith("evenkeel."));
  if (misplaced.length === 0) return faults;
  const what = `${name}: ${misplaced.join(", ")} under deploy.labels says nothing to Compose's containers`;
  return [...faults, fault(what, "move it to labels, beside deploy")];
}

function portProblems({ name, service: { ports, expose }, labels }: Ours): Problem[] {
  const published = Object.fromEntries(
    (ports ?? []).map((each) => [
      `${each.target}/${each.protocol ?? "tcp"}`,
      [{ HostPort: String(each.published ?? "") }],
    ]),
  );
  const exposed = [
    ...Object.keys(published),
    ...(expose ?? []).map((entry) => (String(entry).includes("/") ? String(entry) : `${entry}/tcp`)),
  ];
  const bypass =
    (ports ?? []).length > 0
      ? [warning(`${name}: what it publishes goes past the balancer`, "take ports away from it")]
      : [];
  if (labels.port === undefined && exposed.length === 0) {
    const fix = "set evenkeel.port, unless its image exposes exactly one port";
    return [...bypass, warning(`${name}: the file does not say where it listens`, fix)];
  }
  const found = containerPort(labels.port, { exposed: [...new Set(exposed)], published });
  return found.kind === "port" ? bypass : [fault(`${name}: ${found.fault}`, MEND)];
}

const networksOf = ({ service: { networks } }: Ours) => Object.keys(networks ?? { default: null });

function networkProblems(ours: readonly Ours[], servers: readonly Ours[]): Problem[] {
  const proxies = ours.filter(({ labels: { role } }) => role === "proxy");
  const fronts = proxies.length > 0 ? proxies : ours.filter(({ labels: { role } }) => role === "balancer");
  const near = [...new Set(fronts.flatMap(networksOf))];
  return servers.flatMap((server) => {
    const { name, service: each, labels } = server;
    const { network_mode: mode } = each;
    if (mode === "host" || mode === "none") {
      return [
        fault(
          `${name}: network_mode is ${mode}, so it has no address where the proxies could reach it`,
          "take network_mode away",
        ),
      ];
    }
    if (fronts.length === 0 || mode?.startsWith("service:") || mode?.startsWith("container:")) return [];
    const its =
      labels.network === undefined ? networksOf(server) : networksOf(server).filter((key) => key === labels.network);
    if (its.length === 0) return [fault(`${name}: it is not on ${labels.network}, which evenkeel.network names`, MEND)];
    if (its.some((key) => near.includes(key))) return [];
    const front = fronts[0]?.name;
    return [fault(`${name}: is on ${its.join(", ")}; ${front} is on ${near.join(", ")}`, "put both on one network")];
  });
}

/** A service whose program is told who it is has one member, named like it; others count theirs. */
function nameProblems(ours: readonly Ours[]): Problem[] {
  const names = ours.flatMap(({ name, service: each, labels }) => {
    if (labels.reports && each.environment?.ID) return [{ id: name, name }];
    const count = Math.max(1, each.deploy?.replicas ?? 1);
    return Array.from({ length: Math.min(count, 1_000) }, (_, index) => ({ id: `${name}-${index + 1}`, name }));
  });
  const taken = new Map<string, string>();
  return names.flatMap(({ id, name }) => {
    const other = taken.get(id);
    taken.set(id, name);
    return other === undefined || other === name
      ? []
      : [fault(`${id} would be a member of ${other} and of ${name}`, "rename one of the two services")];
  });
}

function poolProblems(servers: readonly Ours[]): Problem[] {
  const slots = servers.map(({ name, labels }): Slot => ({ id: name, service: name, role: "server", labels }));
  return withRoutes(slots, poolsOf(slots)).flatMap(({ id, faults = [] }) =>
    faults.map((what) => {
      const [told = what, fix = MEND] = what.split(/: (?=set )/);
      return fault(told.startsWith(id) ? told : `${id}: ${told}`, fix);
    }),
  );
}

function groupProblems(ours: readonly Ours[], servers: readonly Ours[]): Problem[] {
  const proxies = ours.filter(({ labels: { role } }) => role === "proxy");
  const count = proxies.reduce((sum, { service: { deploy } }) => sum + (deploy?.replicas ?? 1), 0);
  const named = new Set(proxies.flatMap(({ service: each, labels }) => labels.group ?? each.environment?.GROUP ?? []));
  return servers.flatMap(({ name, labels: { group } }) => {
    const what = group === undefined ? undefined : groupFault(group, { named, count });
    return what === undefined ? [] : [fault(`${name}: ${what}`, "take evenkeel.group away")];
  });
}

function watchdogProblems(ours: readonly Ours[]): Problem[] {
  const watchdogs = ours.filter(({ labels: { role } }) => role === "watchdog");
  if (watchdogs.length === 0)
    return [fault("no service is the watchdog", "extend it from evenkeel.yaml (docs/your-app.md)")];
  const before = new Set(watchdogs.flatMap(({ service: each }) => Object.keys(each.depends_on ?? {})));
  const missing = ours
    .filter(({ name, labels: { role } }) => role !== "watchdog" && !before.has(name))
    .map(({ name }) => name);
  if (missing.length === 0) return [];
  const what = `docker compose down may stop ${missing.join(", ")} before it, and meet a healer`;
  return [warning(what, `give the watchdog depends_on: [${[...before, ...missing].join(", ")}]`)];
}
