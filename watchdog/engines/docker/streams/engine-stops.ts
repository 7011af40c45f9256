// Pure. Which stops among the events that the engine remembers are its own doing. An engine that comes back from a crash stops
// all that it finds running, by the same events as an operator's `docker compose stop` (moby daemon/daemon.go, restore).

/** An event about a container, as the engine writes it. */
export interface PastEvent {
  readonly action: string;
  readonly instance: string;
}

/** What a stop is made of. */
const OF_A_STOP: ReadonlySet<string> = new Set(["kill", "die", "stop"]);

/**
 * The engine remembers nothing of the time before a crash, so that its own stops are the first that it remembers. It signals
 * all at once, and the watchdog with them, which ends before it can hear of another. Compose stops the watchdog first, and then
 * the next: what is signalled after the watchdog's end is an operator's doing, and so is all of it when anything but a stop came
 * before.
 * @param past the project's events, oldest first, of every kind: a health check that was carried out shows that the engine lived
 * @param self the container that the watchdog runs in
 * @returns the events that tell of no operator's stop
 */
export function engineStops<Event extends PastEvent>(
  past: readonly Event[],
  self: string | undefined,
): ReadonlySet<Event> {
  const other = past.findIndex(({ action }) => !OF_A_STOP.has(action));
  const first = other === -1 ? past : past.slice(0, other);
  const ownEnd = first.findIndex(({ action, instance }) => instance === self && action !== "kill");
  const wasStopped = past.some(({ action, instance }) => instance === self && action === "stop");
  if (ownEnd === -1 || !wasStopped) return new Set();
  const stopped = new Set(past.slice(0, ownEnd + 1).map(({ instance }) => instance));
  return new Set([...stopped].flatMap((instance) => upToStart(past, instance)));
}

/** The instance's events until somebody starts it again. */
function upToStart<Event extends PastEvent>(past: readonly Event[], instance: string): Event[] {
  const own = past.filter((event) => event.instance === instance);
  const started = own.findIndex(({ action }) => action === "start");
  return started === -1 ? own : own.slice(0, started);
}
