// Pure. A container as it would be of another image: what inspect shows of a container has the image's own defaults in it, and these are
// taken out, so that the engine puts those of the other image there. A value that somebody has given and that is the image's too counts as
// the image's.

import { composeLabel, isComposeLabel } from "../compose-labels.ts";
import type { Inspected } from "../containers/document.ts";

/** The parts of `GET /images/{name}/json` that matter here. */
export interface ImageDocument {
  readonly Id: string;
  readonly RepoDigests?: readonly string[] | null;
  readonly Config?: Readonly<Record<string, unknown>> | null;
}

/** Given whole, or the image's. */
const WHOLE = ["User", "WorkingDir", "StopSignal", "Healthcheck", "Shell", "OnBuild", "ArgsEscaped"] as const;
/** Given key by key. */
const BY_KEY = ["Volumes", "ExposedPorts"] as const;

/** @returns undefined where nobody knows what Compose would call the other image, and so would make it anew */
export function ofImage(original: Inspected, was: ImageDocument, is: ImageDocument): Inspected | undefined {
  const { Config } = original;
  const digest = digestLike(Config.Labels?.[composeLabel.image], was, is);
  if (digest === undefined) return undefined;
  const defaults = was.Config ?? {};
  const { Entrypoint, Cmd, ...rest } = Config;
  const config = Object.fromEntries(
    Object.entries(rest).flatMap(([name, value]) => {
      if (isIn(WHOLE, name)) return isSame(value, defaults[name]) ? [] : [[name, value]];
      return [[name, isIn(BY_KEY, name) ? withoutKeys(value, defaults[name]) : value]];
    }),
  );
  const hasOwnEntrypoint = !isSame(Entrypoint, defaults.Entrypoint);
  return {
    ...original,
    Image: is.Id,
    Config: {
      ...config,
      Image: Config.Image,
      // With an entry point of one's own the engine leaves the command as it is given.
      ...(hasOwnEntrypoint && { Entrypoint }),
      ...((hasOwnEntrypoint || !isSame(Cmd, defaults.Cmd)) && { Cmd }),
      Env: withoutEntries(Config.Env, defaults.Env),
      Labels: { ...withoutDefaults(Config.Labels ?? {}, defaults.Labels), [composeLabel.image]: digest },
    },
  };
}

/** Compose compares it with what it computes: the image's id, or a digest of its repository. */
function digestLike(label: string | undefined, was: ImageDocument, is: ImageDocument): string | undefined {
  if (label === was.Id) return is.Id;
  const repository = (was.RepoDigests ?? []).find((each) => each.endsWith(`@${label}`))?.split("@")[0];
  return (is.RepoDigests ?? [])
    .find((each) => repository !== undefined && each.startsWith(`${repository}@`))
    ?.split("@")[1];
}

function withoutEntries(given: readonly string[] | null | undefined, defaults: unknown): string[] {
  const ofImage = new Set(Array.isArray(defaults) ? defaults : []);
  return (given ?? []).filter((entry) => !ofImage.has(entry));
}

function withoutKeys(given: unknown, defaults: unknown): unknown {
  if (typeof given !== "object" || given === null) return given;
  return Object.fromEntries(Object.entries(given).filter(([key]) => !Object.hasOwn(Object(defaults), key)));
}

/** Compose's own stay: an image that it has built carries some of them too. */
function withoutDefaults(given: Readonly<Record<string, string>>, defaults: unknown): Record<string, string> {
  const ofImage = Object(defaults) as Readonly<Record<string, unknown>>;
  const isOwn = ([name, value]: [string, string]) => isComposeLabel(name) || ofImage[name] !== value;
  return Object.fromEntries(Object.entries(given).filter(isOwn));
}

const isIn = (names: readonly string[], name: string) => names.includes(name);
const isSame = (one: unknown, other: unknown) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
