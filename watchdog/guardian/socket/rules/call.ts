// Pure. What a filtered socket lets through, as rows: a method, a path, and the parameters that may stand there. Whatever no row
// names is refused. Whose container it is about, and what a create carries, is judged by subject.ts and twin-check.ts.

import { ofProject } from "../../../engines/docker/compose-labels.ts";
import type { RequestTarget } from "./request-target.ts";

type Parameters = ReadonlyMap<string, string>;

interface Refused {
  readonly kind: "refused";
  readonly reason: string;
}

export type EngineCall =
  /** Goes to the engine as it is. */
  | { readonly kind: "plain"; readonly path: string; readonly parameters: Parameters }
  /** A look at one container of the project. */
  | { readonly kind: "inspect"; readonly id: string }
  /** A look at what it wrote, or at which files it has and of what size and time. `what` stands behind its id in the path. */
  | { readonly kind: "look"; readonly id: string; readonly what: string; readonly parameters: Parameters }
  /** It changes one member. `what` stands behind its id in the path; empty for its removal. */
  | { readonly kind: "change"; readonly id: string; readonly what: string; readonly parameters: Parameters }
  | { readonly kind: "rename"; readonly id: string; readonly name: string }
  | { readonly kind: "create"; readonly name: string }
  /** No call of the engine's: what Compose copied into one container goes into its twin, and never to the caller. */
  | { readonly kind: "copy"; readonly id: string }
  /** A command in a member, which the caller does not choose. */
  | { readonly kind: "exec"; readonly id: string }
  /** About a command that was begun by the call above. */
  | { readonly kind: "exec-run"; readonly exec: string; readonly what: "start" | "json" };

export interface CallRow {
  readonly method: "GET" | "HEAD" | "POST" | "DELETE";
  readonly path: RegExp;
  /** Each that may stand there, with what it may be. */
  readonly parameters?: Readonly<Record<string, RegExp>>;
  /** Those that have to. */
  readonly needs?: readonly string[];
  /** @param named the groups of the path @returns a reason as text: refused */
  readonly call: (
    named: Readonly<Record<string, string>>,
    target: RequestTarget,
    project: string | undefined,
  ) => EngineCall | string;
}

const YES_NO = /^(?:true|false|1|0)$/;
const SECONDS = /^\d{1,12}(?:\.\d{1,9})?$/;
/** A container's, by the engine's own rule. */
export const CONTAINER = "(?<id>[A-Za-z0-9][A-Za-z0-9_.-]{0,254})";
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/;
/** Of the project's events, these of containers. */
const EVENT_FILTERS = new Set(["type", "event", "label"]);
const LIST_FILTERS = new Set(["label"]);

export const plain: CallRow["call"] = (_named, { path, parameters }) => ({ kind: "plain", path, parameters });
export const about = (path: string) => new RegExp(`^/containers/${CONTAINER}${path}$`);
export const change =
  (what: string): CallRow["call"] =>
  ({ id = "" }, { parameters }) => ({ kind: "change", id, what, parameters });

const look =
  (what: string): CallRow["call"] =>
  ({ id = "" }, { parameters }) => ({ kind: "look", id, what, parameters });

/** What both sockets may ask. */
export const LOOKS: readonly CallRow[] = [
  { method: "GET", path: /^\/(?:version|info|_ping)$/, call: plain },
  { method: "GET", path: about("/json"), call: ({ id = "" }) => ({ kind: "inspect", id }) },
];

export const SECONDS_TO_STOP = /^\d{1,5}$/;

/** The watchdog's socket: the table of docs/security.md. */
export const WATCHDOG_CALLS: readonly CallRow[] = [
  ...LOOKS,
  {
    method: "GET",
    path: /^\/events$/,
    parameters: { filters: /^\{/, since: SECONDS, until: SECONDS },
    needs: ["filters"],
    call: (_named, target, project) => filtered(target, project, EVENT_FILTERS),
  },
  {
    method: "GET",
    path: /^\/containers\/json$/,
    parameters: { filters: /^\{/, all: YES_NO },
    needs: ["filters"],
    call: (_named, target, project) => filtered(target, project, LIST_FILTERS),
  },
  {
    method: "GET",
    path: about("/logs"),
    parameters: {
      ...{ follow: YES_NO, stdout: YES_NO, stderr: YES_NO, timestamps: YES_NO },
      ...{ since: SECONDS, until: SECONDS, tail: /^(?:all|\d{1,7})$/ },
    },
    call: look("/logs"),
  },
  { method: "GET", path: about("/changes"), call: look("/changes") },
  // With GET the file itself would come.
  {
    method: "HEAD",
    path: about("/archive"),
    parameters: { path: /^\/[^\0]*$/ },
    needs: ["path"],
    call: look("/archive"),
  },
  { method: "GET", path: /^\/images\/.+\/json$/, call: plain },
  {
    method: "POST",
    path: /^\/containers\/create$/,
    parameters: { name: NAME },
    needs: ["name"],
    call: (_named, { parameters }) => ({ kind: "create", name: parameters.get("name") as string }),
  },
  { method: "POST", path: about("/copied"), call: ({ id = "" }) => ({ kind: "copy", id }) },
  { method: "POST", path: about("/start"), call: change("/start") },
  { method: "POST", path: about("/stop"), parameters: { t: SECONDS_TO_STOP }, call: change("/stop") },
  {
    method: "POST",
    path: about("/rename"),
    parameters: { name: NAME },
    needs: ["name"],
    call: ({ id = "" }, { parameters }) => ({ kind: "rename", id, name: parameters.get("name") as string }),
  },
  {
    method: "DELETE",
    path: about(""),
    // With `v` its volumes would go too, and with `link` something else.
    parameters: { force: YES_NO, v: /^(?:false|0)$/ },
    needs: ["v"],
    call: change(""),
  },
];

/** @param project undefined: we are part of none, and nothing that is about one is let through */
export function callOf(
  rows: readonly CallRow[],
  method: string,
  target: RequestTarget,
  project: string | undefined,
): EngineCall | Refused {
  for (const row of rows) {
    const match = row.method === method ? row.path.exec(target.path) : null;
    if (match === null) continue;
    const fault = parameterFault(row, target.parameters);
    const call = fault ?? row.call({ ...match.groups }, target, project);
    return typeof call === "string" ? { kind: "refused", reason: call } : call;
  }
  return { kind: "refused", reason: "no such call is made" };
}

function parameterFault({ parameters = {}, needs = [] }: CallRow, given: Parameters): string | undefined {
  for (const [name, value] of given) {
    const legal = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (!legal?.test(value)) return `the parameter ${name}=${value.slice(0, 50)}`;
  }
  const missing = needs.find((name) => !given.has(name));
  return missing === undefined ? undefined : `no parameter ${missing}`;
}

/** The list, or the events, with the filters written anew. */
function filtered(
  { path, parameters }: RequestTarget,
  project: string | undefined,
  keys: ReadonlySet<string>,
): EngineCall | string {
  if (project === undefined) return "we are part of no project";
  const filters = filtersIn(parameters.get("filters") as string);
  if (filters === undefined) return "filters that are no lists of words";
  const other = [...filters.keys()].find((key) => !keys.has(key));
  if (other !== undefined) return `a filter by ${other}`;
  if (!filters.get("label")?.includes(ofProject(project))) return "filters without our project";
  if (path === "/events" && filters.get("type")?.join() !== "container") return "events that are not of containers";
  const text = JSON.stringify(Object.fromEntries(filters));
  return { kind: "plain", path, parameters: new Map([...parameters, ["filters", text]]) };
}

function filtersIn(text: string): ReadonlyMap<string, readonly string[]> | undefined {
  try {
    const filters = new Map(Object.entries(JSON.parse(text) as object)) as ReadonlyMap<string, unknown>;
    const sound = [...filters.values()].every(
      (value) => Array.isArray(value) && value.every((word) => typeof word === "string"),
    );
    return sound ? (filters as ReadonlyMap<string, readonly string[]>) : undefined;
  } catch {
    return undefined;
  }
}
