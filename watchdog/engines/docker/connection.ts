// The connection to the Docker engine: opened with a negotiated API version, or refused in one line that names the fix.

import { hostname } from "node:os";
import Docker from "dockerode";
import type { Settings } from "../../../services/runtime/config.ts";
import { ownContainerId } from "../../../services/runtime/container-id.ts";
import { exitCode, StartupFailure } from "../../../services/runtime/exit.ts";
import { composeLabel } from "./compose-labels.ts";

/** Engine 25, the first with a health check's start_interval; Engine 29 speaks nothing older. */
const API_MIN = "1.44";
/** From 1.52 on, a container's configured MAC address can no longer be read (moby api/server/router/container). */
const API_MAX = "1.51";
const CALL_TIMEOUT_MS = 20_000;

export interface Connection {
  /** For calls: each has a time limit. */
  readonly calls: Docker;
  /** For event and log streams, which may be silent for as long as they like. */
  readonly streams: Docker;
}

/** @throws StartupFailure when there is no engine, it refuses us, or it is too old */
export async function connect(socketPath: string): Promise<Connection> {
  const api = await negotiate(socketPath);
  const version = `v${newer(api, API_MAX) ? API_MAX : api}`;
  return {
    calls: new Docker({ socketPath, version, timeout: CALL_TIMEOUT_MS }),
    streams: new Docker({ socketPath, version }),
  };
}

/** The container that this process runs in; undefined outside of one. */
export async function inspectSelf({ calls }: Connection): Promise<Docker.ContainerInspectInfo | undefined> {
  const look = (name: string) =>
    calls
      .getContainer(name)
      .inspect()
      .catch(() => undefined);
  const id = await ownContainerId();
  const own = id === undefined ? undefined : await look(id);
  if (own !== undefined) return own;
  // A container's default host name is its short id. Outside of a container it may be the name of any.
  const named = await look(hostname());
  return named?.Config.Hostname === hostname() ? named : undefined;
}

/**
 * The Compose project that is meant: the one whose container this process runs in, else the one that is set.
 * @throws StartupFailure when both are there and differ: a watchdog that heals another project's members is worse than none
 */
export function projectOf(
  { COMPOSE_PROJECT_NAME: set }: Pick<Settings, "COMPOSE_PROJECT_NAME">,
  self: Docker.ContainerInspectInfo | undefined,
): string | undefined {
  const own = self?.Config.Labels[composeLabel.project];
  if (own === undefined || set === undefined || set === own) return own ?? set;
  const fix =
    "take it out of the watchdog's environment (its env_file too): the container's own label says the project";
  throw new StartupFailure(
    exitCode.settings,
    `COMPOSE_PROJECT_NAME=${set}, but this container is of project ${own}: ${fix}`,
  );
}

/** Answers that mean "it is so already" are no errors: undefined then. */
export async function ignoring<Value>(codes: readonly number[], call: Promise<Value>): Promise<Value | undefined> {
  try {
    return await call;
  } catch (error) {
    if (codes.includes((error as { statusCode?: number }).statusCode ?? 0)) return undefined;
    throw error;
  }
}

async function negotiate(socketPath: string): Promise<string> {
  let api: string | undefined;
  try {
    api = (await new Docker({ socketPath, timeout: CALL_TIMEOUT_MS }).version()).ApiVersion;
  } catch (error) {
    throw unreachable(socketPath, error as RefusedConnection);
  }
  if (api === undefined || newer(API_MIN, api)) {
    const line = `the Docker engine speaks API ${api ?? "unknown"}, older than ${API_MIN}: upgrade it to Docker 25 or newer`;
    throw new StartupFailure(exitCode.engineTooOld, line);
  }
  return api;
}

/** The guardian's filter, which is always there, says so of the engine's own socket behind it. */
interface RefusedConnection extends NodeJS.ErrnoException {
  readonly json?: { readonly code?: string; readonly socket?: string };
}

function unreachable(given: string, error: RefusedConnection): StartupFailure {
  const { message } = error;
  const { code = error.code, socket: socketPath = given } = error.json ?? {};
  const refused = code === "EACCES" || code === "EPERM";
  if (refused) {
    const fix = "run the watchdog as a user who may, such as root, or set DOCKER_SOCKET to a socket it may use";
    return new StartupFailure(exitCode.engineRefused, `no permission for the Docker socket ${socketPath}: ${fix}`);
  }
  const what = code === "ENOENT" ? "there is no Docker socket at" : `no Docker engine answers (${code ?? message}) at`;
  const fix = "mount it there, or set DOCKER_SOCKET to where it is, or ENGINE=process to do without Docker";
  return new StartupFailure(exitCode.engineMissing, `${what} ${socketPath}: ${fix}`);
}

/** Is `one` newer than `other`? Versions are major.minor. */
function newer(one: string, other: string): boolean {
  const [oneMajor, oneMinor] = one.split(".").map(Number) as [number, number];
  const [otherMajor, otherMinor] = other.split(".").map(Number) as [number, number];
  return oneMajor > otherMajor || (oneMajor === otherMajor && oneMinor > otherMinor);
}
