// An engine whose changes need the lease: a watchdog that lost it, or stood still for so long that it may have, changes nothing
// more, whatever it was in the middle of. The one that leads now finishes it.

import type { Engine } from "../engines/engine.ts";
import type { Lease } from "./lease.ts";

export function fenced(engine: Engine, lease: Pick<Lease, "held">): Engine {
  const changing = <Arguments extends unknown[], Result>(change: (...given: Arguments) => Promise<Result>) => {
    return async (...given: Arguments): Promise<Result> => {
      if (!lease.held()) throw new Error("another watchdog may lead by now");
      return change(...given);
    };
  };
  return {
    self: engine.self,
    project: engine.project,
    membersStay: engine.membersStay,
    slots: () => engine.slots(),
    list: () => engine.list(),
    lastLines: (instance, count) => engine.lastLines(instance, count),
    watch: (onEvent, stop) => engine.watch(onEvent, stop),
    create: changing((slot, wanted) => engine.create(slot, wanted)),
    start: changing((instance) => engine.start(instance)),
    stop: changing((instance, deadlineMs) => engine.stop(instance, deadlineMs)),
    remove: changing((instance) => engine.remove(instance)),
    commit: changing((slot, deadlineMs) => engine.commit(slot, deadlineMs)),
    // In good order: nobody else leads before the lease is released behind it.
    close: () => engine.close(),
  };
}
