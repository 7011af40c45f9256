// Injects faults into members in containers, as somebody with a Docker client would. Touches only the container that the
// watchdog itself shows as the member of the slot, by its id; which project it is of is the watchdog's to know.

import type Docker from "dockerode";
import { connect, ignoring } from "../engines/docker/connection.ts";
import { HANG } from "../guardian/socket/rules/chaos-calls.ts";
import { type FaultInjector, type FaultKind, faultKinds, type InjectedFault } from "./injected-fault.ts";

export interface DockerInjectorOptions {
  readonly socket: string;
  /** The container that fills a slot now. */
  readonly instanceOf: (slot: string) => string | null | undefined;
}

/** @throws StartupFailure when there is no engine we can use */
export async function openDockerInjector({ socket, instanceOf }: DockerInjectorOptions): Promise<FaultInjector> {
  const { calls } = await connect(socket);
  const { Version } = await calls.version();
  return {
    kinds: faultKinds,
    engine: `Docker ${Version}`,
    prepare: async (kind, slot) => {
      const instance = instanceOf(slot);
      if (!instance) throw new Error(`the watchdog shows no container of ${slot}`);
      return faultOn(calls.getContainer(instance), kind);
    },
  };
}

function faultOn(container: Docker.Container, kind: FaultKind): InjectedFault {
  switch (kind) {
    case "kill":
      return { inject: () => container.kill({ signal: "SIGKILL" }) };
    case "stop":
      // The watchdog respects a stop as somebody's intent: whoever stops a member has to start it.
      return { inject: () => container.stop(), revert: () => ignoring([304, 404], container.start()) };
    case "pause":
      return { inject: () => container.pause(), revert: () => unpause(container) };
    case "hang":
      return { inject: () => execute(container, HANG) };
    case "remove":
      return { inject: () => container.remove({ force: true }) };
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
