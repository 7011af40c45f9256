// An engine whose calls are timed, for the metrics. Whatever it answers, or fails with, goes on as it is.

import { monotonicMs } from "../../services/runtime/clock.ts";
import type { Discovery } from "./discovery.ts";
import type { Engine, ObservedEngine } from "./engine.ts";
import type { Runner } from "./runner.ts";

/** Those that end with the engine's answer. */
export const engineCalls = [
  ...["slots", "list", "formerVersion", "lastLines"],
  ...["create", "start", "isUnique", "stop", "remove", "commit", "keepVersion", "forget"],
] as TimedCall[];
export type TimedCall = Exclude<CallsOf<Discovery> | CallsOf<Runner>, "watch" | "close">;

type CallsOf<Part> = { [Name in keyof Part]-?: Part[Name] extends () => unknown ? Name : never }[keyof Part];
type OnCalled = (call: TimedCall, seconds: number, failed: boolean) => void;

export function timed(engine: Engine | ObservedEngine, onCalled: OnCalled): Engine | ObservedEngine {
  const discovery = timedPart(engine.discovery, onCalled);
  return engine.runner === undefined ? { discovery } : { discovery, runner: timedPart(engine.runner, onCalled) };
}

const isTimed = (name: unknown): name is TimedCall => (engineCalls as unknown[]).includes(name);

function timedPart<Part extends object>(part: Part, onCalled: OnCalled): Part {
  return new Proxy(part, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (!isTimed(name)) return value.bind(target);
      return (...given: unknown[]) => timedCall(name, () => value.apply(target, given), onCalled);
    },
  });
}

async function timedCall<Result>(call: TimedCall, make: () => Promise<Result>, onCalled: OnCalled): Promise<Result> {
  const begunMs = monotonicMs();
  let failed = true;
  try {
    const result = await make();
    failed = false;
    return result;
  } finally {
    onCalled(call, (monotonicMs() - begunMs) / 1_000, failed);
  }
}
