// Faults for members in containers, done as somebody with a Docker client would. Touches only containers of the watchdog's
// own Compose project, each found by its labels.

import type Docker from "dockerode";
import type { Settings } from "../../services/runtime/config.ts";
import { exitCode, StartupFailure } from "../../services/runtime/exit.ts";
import { NOT_ONE_OFF, ofProject, slotIdOf } from "../engines/docker/compose-labels.ts";
import { type Connection, connect, ignoring, inspectSelf, projectOf } from "../engines/docker/connection.ts";
import { PREVIOUS_SUFFIX } from "../engines/docker/container-names.ts";
import { type Fault, type FaultKind, type Faults, faultKinds } from "./faults.ts";

/** Process 1 is the init of `init: true`, which passes signals on but stops alone: the member is its only child. */
const HANG = ["sh", "-c", "kill -STOP $(cat /proc/1/task/1/children)"];

/** @throws StartupFailure when there is no engine we can use, or no Compose project we are part of */
export async function openDockerFaults(settings: Settings): Promise<Faults> {
  const connection = await connect(settings.DOCKER_SOCKET);
  const project = await ownProject(connection, settings);
  const { Version } = await connection.calls.version();
  return {
    kinds: faultKinds,
    engine: `Docker ${Version}`,
    prepare: async (kind, slot) => faultOn(await containerOf(connection.calls, project, slot), kind),
  };
}

async function ownProject(connection: Connection, settings: Settings): Promise<string> {
  const project = projectOf(settings, await inspectSelf(connection));
  if (project !== undefined) return project;
  const fix = "run docker compose exec watchdog node chaos.js, or set COMPOSE_PROJECT_NAME";
  throw new StartupFailure(exitCode.settings, `there is no telling which Compose project is meant: ${fix}`);
}

async function containerOf(docker: Docker, project: string, slot: string): Promise<Docker.Container> {
  const filters = { label: [ofProject(project), NOT_ONE_OFF] };
  const found = (await docker.listContainers({ filters })).find(({ Labels, Names }) => {
    const previous = Names.some((name) => name.endsWith(PREVIOUS_SUFFIX));
    return !previous && slotIdOf(Labels) === slot;
  });
  if (found === undefined) throw new Error(`no container of ${slot} runs`);
  return docker.getContainer(found.Id);
}

function faultOn(container: Docker.Container, kind: FaultKind): Fault {
  switch (kind) {
    case "kill":
      return { inflict: () => container.kill({ signal: "SIGKILL" }) };
    case "stop":
      // A stop is somebody's wish, which the watchdog respects: who stops it has to start it.
      return { inflict: () => container.stop(), undo: () => ignoring([304, 404], container.start()) };
    case "pause":
      return { inflict: () => container.pause(), undo: () => unpause(container) };
    case "hang":
      return { inflict: () => execute(container, HANG) };
    case "remove":
      return { inflict: () => container.remove({ force: true }) };
    default:
      return kind satisfies never;
  }
}

async function unpause(container: Docker.Container): Promise<void> {
  const now = await ignoring([404], container.inspect());
  if (now?.State.Paused) await container.unpause();
}

async function execute(container: Docker.Container, command: readonly string[]): Promise<void> {
  const run = await container.exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
  const output = await run.start({});
  for await (const _ of output);
  const { ExitCode } = await run.inspect();
  if (ExitCode !== 0) throw new Error(`${command.join(" ")} ended with ${ExitCode}`);
}
