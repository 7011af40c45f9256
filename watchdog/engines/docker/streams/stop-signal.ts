// The signal by which the engine asks a container to stop: its image may want another one than TERM (`STOPSIGNAL SIGWINCH`, as httpd
// does). Where such a signal comes it means the same.

import { constants } from "node:os";

/** The real-time signals have no names of their own. */
const FIRST_REAL_TIME = 34;

/** @param signal as the engine, an image or a Compose file writes it: a number, or a name with SIG or without */
export function signalName(signal: string): string {
  const name = signal.toUpperCase().replace(/^SIG/, "");
  const [realTime, after = "0"] = /^RTMIN(?:\+(\d{1,2}))?$/.exec(name) ?? [];
  const number = realTime === undefined ? name : String(FIRST_REAL_TIME + Number(after));
  const known = Object.entries(constants.signals).find(([, value]) => String(value) === number)?.[0];
  return known?.replace(/^SIG/, "") ?? number;
}

interface Stoppable {
  readonly Config: object;
}

/** @param signal by the name that the function above gives it */
export function isItsStopSignal(container: Stoppable | undefined, signal: string): boolean {
  const { StopSignal = "" } = (container?.Config ?? {}) as { readonly StopSignal?: string };
  return StopSignal !== "" && signalName(StopSignal) === signal;
}
