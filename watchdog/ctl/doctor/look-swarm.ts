// What doctor looks at on a Swarm: the manager's word on the nodes, and on the services and tasks of the stack. It changes nothing, and
// draws no conclusion: findings-swarm.ts does.

import type { Settings } from "../../../services/runtime/config.ts";
import { StartupFailure } from "../../../services/runtime/exit.ts";
import { connect, inspectSelf } from "../../engines/docker/connection.ts";
import {
  nodesIn,
  type SwarmNode,
  type SwarmService,
  type SwarmTask,
  servicesIn,
  tasksIn,
} from "../../engines/swarm/answers.ts";
import { ofStack, stackOf } from "../../engines/swarm/manager.ts";
import { socketOf } from "./look-docker.ts";

export type SwarmLook =
  /** `line`: what is wrong, a colon, and what to do. */
  | { readonly kind: "refused"; readonly line: string }
  | {
      readonly kind: "reached";
      readonly version: string;
      readonly api: string;
      /** Undefined: we are part of none, and none is set. */
      readonly stack: string | undefined;
      readonly nodes: readonly SwarmNode[];
      readonly services: readonly SwarmService[];
      /** Also those that have ended, as far as Swarm remembers them. */
      readonly tasks: readonly SwarmTask[];
    };

export async function lookAtSwarm(settings: Settings): Promise<SwarmLook> {
  try {
    return await look(settings);
  } catch (error) {
    if (error instanceof StartupFailure) return { kind: "refused", line: error.message };
    const [what] = (error as Error).message.split(":");
    const fix = "see what docker node ls says on this engine; the watchdog's is to be a manager";
    return { kind: "refused", line: `the manager does not answer (${what}): ${fix}` };
  }
}

async function look(settings: Settings): Promise<SwarmLook> {
  const connection = await connect(socketOf(settings));
  const { calls } = connection;
  const { Version: version, ApiVersion: api } = await calls.version();
  const nodes = nodesIn(await calls.listNodes());
  const stack = settings.STACK ?? stackOf((await inspectSelf(connection))?.Config.Labels ?? {});
  const filters = { label: stack === undefined ? [] : [ofStack(stack)] };
  const ask = async <Answer>(list: () => Promise<Answer[]>) => (stack === undefined ? [] : list());
  const [services, tasks] = await Promise.all([
    ask(() => calls.listServices({ filters })),
    ask(() => calls.listTasks({ filters })),
  ]);
  return { kind: "reached", version, api, stack, nodes, services: servicesIn(services), tasks: tasksIn(tasks) };
}
