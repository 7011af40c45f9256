// Has a container ended, in which another watchdog led say? The engine knows at once what its silence shows after two seconds.

import type { Settings } from "../../../services/runtime/config.ts";
import { connect } from "./connection.ts";

const CONTAINER_ID = /^[0-9a-f]{64}$/;

/** @returns true: no process of it is left. False: it runs, it is no container, or the engine did not say */
export async function containerHasEnded(
  id: string,
  { DOCKER_SOCKET }: Pick<Settings, "DOCKER_SOCKET">,
): Promise<boolean> {
  if (!CONTAINER_ID.test(id)) return false;
  try {
    const { State } = await (await connect(DOCKER_SOCKET)).calls.getContainer(id).inspect();
    return !State.Running;
  } catch (error) {
    return (error as { statusCode?: number }).statusCode === 404;
  }
}
