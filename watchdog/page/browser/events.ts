// Hears the watchdog's events, for as long as the page is open. Where it hears none it says since when, and asks again: by the browser's
// own way, with the last event's id, and where that gives up by a new connection.

import type { PageParts } from "../document/document.ts";

export interface Heard {
  readonly onPart: (part: Partial<PageParts>) => void;
  /** The watchdog's time, in ms since 1970. */
  readonly onTime: (ms: number) => void;
  readonly onLost: () => void;
}

/** The watchdog says something every two seconds. */
const SILENT_MS = 6_000;
const AGAIN_MS = 1_000;
const PARTS = ["state", "probes", "incidents", "traffic"] as const;

export function listen({ onPart, onTime, onLost }: Heard): void {
  const source = new EventSource("/page/events");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = () => {
    source.close();
    clearTimeout(timer);
    onLost();
    setTimeout(() => listen({ onPart, onTime, onLost }), AGAIN_MS);
  };
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(again, SILENT_MS);
  };
  heard();
  for (const part of PARTS)
    source.addEventListener(part, ({ data }) => {
      heard();
      onPart({ [part]: JSON.parse(data as string) });
    });
  source.addEventListener("clock", ({ data }) => {
    heard();
    onTime(Number(data));
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) again();
    else onLost();
  });
}
