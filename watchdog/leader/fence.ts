// A runner that needs the lease: a watchdog that lost it, or stood still for so long that it may have, changes nothing
// more, whatever it was in the middle of. The one that leads now finishes it.

import { NOT_LEADING, type Runner } from "../engines/runner.ts";
import type { Lease } from "./lease.ts";

export function fenced(runner: Runner, lease: Pick<Lease, "held">): Runner {
  const changing = <Arguments extends unknown[], Result>(change: (...given: Arguments) => Promise<Result>) => {
    return async (...given: Arguments): Promise<Result> => {
      if (!lease.held()) throw new Error(NOT_LEADING);
      return change(...given);
    };
  };
  return {
    create: changing((slot, wanted) => runner.create(slot, wanted)),
    start: changing((instance) => runner.start(instance)),
    // It changes nothing.
    isUnique: (instance) => runner.isUnique(instance),
    stop: changing((instance, deadlineMs) => runner.stop(instance, deadlineMs)),
    remove: changing((instance) => runner.remove(instance)),
    commit: changing((slot, deadlineMs) => runner.commit(slot, deadlineMs)),
    keepVersion: changing((slot, making) => runner.keepVersion(slot, making)),
    forget: changing((slot) => runner.forget(slot)),
    // In good order: nobody else leads before the lease is released behind it.
    close: () => runner.close(),
  };
}
