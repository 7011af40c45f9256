// One of several workers: takes its part of the member's traffic, and answers its primary, which speaks for all of them to the outside.
// Without its primary it ends at once, as node:cluster has it.

import type { Drained } from "../runtime/drain.ts";
import type { Context, Program } from "../runtime/lifecycle.ts";
import { ALIVE_MS, type ToPrimary, type ToWorker } from "./messages.ts";

/** Lives until the primary has it drained, or it is told to stop by itself. @throws StartupFailure when it cannot listen */
export async function liveAsWorker(program: Program, { settings, stop }: Context): Promise<void> {
  const { traffic } = program;
  if (traffic === undefined) throw new Error("a role without traffic has no workers");
  const ready = () => !stop.aborted && program.ready();
  const drained = new Promise<Drained>((resolve, reject) => {
    const drain = (deadlineMs: number) => traffic.drain.drain(deadlineMs).then(resolve, reject);
    process.on("message", (message: ToWorker) => {
      if (message.kind === "begin-drain") traffic.drain.begin();
      else if (message.kind === "drain") void drain(message.deadlineMs);
      else void answer(message);
    });
    stop.addEventListener("abort", () => void drain(settings.DRAIN_TIMEOUT_MS), { once: true });
  });

  async function answer({ number, question }: ToWorker & { kind: "ask" }): Promise<void> {
    const answer = question === "ready" ? await ready() : await program.metrics.getMetricsAsJSON();
    await tell({ kind: "answer", number, answer });
  }

  await tell({ kind: "listening", port: await traffic.listen() });
  const beat = setInterval(() => void tell({ kind: "alive" }), ALIVE_MS);
  const { cut, upgradesEnded } = await drained;
  clearInterval(beat);
  await program.close?.();
  await tell({ kind: "drained", cut, upgradesEnded });
}

/** Resolves when it is on its way, or the primary is gone, which ends this process too. */
function tell(message: ToPrimary): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
