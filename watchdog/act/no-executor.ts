// In the place of an executor where the engine starts and replaces its members by itself: nothing is ever under way. A step that would
// change something is a bug of the plan, and refused.

import type { Step } from "../rules/plan.ts";
import type { Executor } from "./executor.ts";
import { NotMade } from "./not-made.ts";

/** What the loop needs of whoever carries out steps. */
export type StepExecutor = Pick<Executor, "busy" | "leaving" | "addFailures" | "act" | "finish">;

export class NoExecutor implements StepExecutor {
  readonly busy: ReadonlySet<string> = new Set();
  readonly leaving: ReadonlySet<string> = new Set();
  readonly addFailures = new NotMade();

  /** @throws Error for all but a step that waits */
  act({ kind, slot, reason }: Step): void {
    if (kind !== "wait") throw new Error(`nobody may ${kind} ${slot.id}, whose engine is only observed: ${reason}`);
  }

  async finish(): Promise<void> {}
}
