// Pure. Is what a container is to be made from that of a twin? The twin is made here anew from what was kept, by the rules of the
// heal itself, with what alone may be chosen: three variables, the ports of the host in their block, the present ids of those whose
// namespaces it shares. It has to be what was asked for, to the last field, and it is what goes to the engine.

import type { HostConfig } from "../../../engines/docker/containers/document.ts";
import { parentsOf } from "../../../engines/docker/containers/namespaces.ts";
import { type TwinOptions, twinOf } from "../../../engines/docker/twin/recreate.ts";
import type { Kept } from "./kept.ts";

/** What a watchdog sets anew of a member at each start, and what each may be. */
const MAY_BE_SET: ReadonlyMap<string, RegExp> = new Map([
  ["REGISTRY", /^\{.*\}$/s],
  // Empty: it looks for one in its range.
  ["PORT", /^\d{0,5}$/],
  ["REPORT_NONCE", /^[\w-]{1,128}$/],
]);
const PORTS_IN_BLOCK = 100;

export interface TwinKnowledge {
  /** The id of the image that the tag in question means now. */
  readonly tagged: string | undefined;
  /** The service of a container of ours that is or was, by its id. */
  readonly serviceOf: (id: string) => string | undefined;
}

export type TwinCheck =
  | { readonly kind: "twin"; readonly body: Readonly<Record<string, unknown>> }
  /** The first field that is not as in any container that was there. */
  | { readonly kind: "other"; readonly differs: string };

type Body = Readonly<Record<string, unknown>>;

/** @param looks the likeliest first */
export function checkTwin(body: unknown, looks: readonly Kept[], knowledge: TwinKnowledge): TwinCheck {
  if (!isObject(body)) return { kind: "other", differs: "the body" };
  let first: TwinCheck | undefined;
  try {
    for (const look of looks) {
      const check = checkAgainst(body, look, knowledge);
      if (check.kind === "twin") return check;
      first ??= check;
    }
  } catch {
    // Nested deeper than the stack is, or no text where there has to be one.
    return { kind: "other", differs: "its shape" };
  }
  return first ?? { kind: "other", differs: "its name" };
}

function checkAgainst(body: Body, look: Kept, { tagged, serviceOf }: TwinKnowledge): TwinCheck {
  const { Image: image } = body;
  const isSameImage = image === look.Image || (image === look.Config.Image && tagged === look.Image);
  if (!isSameImage) return { kind: "other", differs: "Image" };
  const options = {
    image: image as string,
    environment: setAnew(body, look),
    parents: parentsIn(body, look, serviceOf),
    portMoves: 0,
  };
  const twin = nearest(body, look, options);
  const differs = difference(twin, body, "");
  return differs === undefined ? { kind: "twin", body: twin } : { kind: "other", differs };
}

/** The twin with the host's ports that were asked for, where there is one. */
function nearest(body: Body, look: Kept, options: TwinOptions): Body {
  const asked = portsOf(body);
  for (let portMoves = 0; portMoves < PORTS_IN_BLOCK; portMoves += 1) {
    const twin = asJson(twinOf(look, { ...options, portMoves }));
    if (difference(portsOf(twin), asked, "") === undefined) return twin;
  }
  return asJson(twinOf(look, options));
}

const portsOf = ({ HostConfig }: Body) => (HostConfig as HostConfig | undefined)?.PortBindings;

function setAnew(body: Body, look: Kept): Readonly<Record<string, string>> {
  const before = new Set(look.Config.Env ?? []);
  const entries = listOf(body.Env).flatMap((entry) => {
    const [name = "", value = ""] = String(entry).split(/=(.*)/s, 2);
    return !before.has(String(entry)) && MAY_BE_SET.get(name)?.test(value) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entries);
}

/** What it shared with one container it shares with another of the same service. */
function parentsIn(body: Body, look: Kept, serviceOf: TwinKnowledge["serviceOf"]): ReadonlyMap<string, string> {
  const was = parentsOf(look.HostConfig);
  const now = isObject(body.HostConfig) ? safeParentsOf(body.HostConfig) : [];
  return new Map(
    was.flatMap((id) => {
      const service = serviceOf(id);
      const next = now.includes(id) ? id : now.find((other) => service !== undefined && serviceOf(other) === service);
      return next === undefined ? [] : [[id, next]];
    }),
  );
}

function safeParentsOf(hostConfig: Body): string[] {
  const words = [hostConfig.NetworkMode, hostConfig.IpcMode, hostConfig.PidMode, ...listOf(hostConfig.VolumesFrom)];
  return words.every((word) => word === undefined || word === null || typeof word === "string")
    ? parentsOf(hostConfig as HostConfig)
    : [];
}

/**
 * The path of the first field that is not the same in both. What is empty is the same as what is not there; what goes to the engine
 * is ours either way. The order of variables has no meaning.
 */
export function difference(ours: unknown, asked: unknown, path: string): string | undefined {
  if (isEmpty(ours) && isEmpty(asked)) return undefined;
  if (Array.isArray(ours) && Array.isArray(asked) && path === "Env") {
    return JSON.stringify([...ours].sort()) === JSON.stringify([...asked].sort()) ? undefined : path;
  }
  if (!isObject(ours) || !isObject(asked) || Array.isArray(ours) !== Array.isArray(asked)) {
    return ours === asked ? undefined : path || "the body";
  }
  for (const key of new Set([...Object.keys(ours), ...Object.keys(asked)])) {
    const [one, other] = [ours, asked].map((side) => (Object.hasOwn(side, key) ? side[key] : undefined));
    const below = difference(one, other, path === "" ? key : `${path}.${key}`);
    if (below !== undefined) return below.slice(0, 100);
  }
  return undefined;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  return isObject(value) && Object.keys(value).length === 0;
}

const isObject = (value: unknown): value is Body => typeof value === "object" && value !== null;
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value)) as Body;
