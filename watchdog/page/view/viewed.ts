// Pure. What the page is drawn from: the parts of the document as far as they are there, the time, and what the browser alone knows.

import type { PageParts } from "../document/document.ts";

export type Link =
  /** Drawn by the watchdog, without a script. */
  | { readonly kind: "none" }
  | { readonly kind: "live" }
  /** `sinceMs`: when the watchdog was last heard. */
  | { readonly kind: "lost"; readonly sinceMs: number };

/** May the page give orders? `locked`: once its token is entered. `off`: the watchdog has none to compare with. */
export type OrderAccess = "off" | "locked" | "open";

export interface Viewed extends PageParts {
  readonly nowMs: number;
  readonly link: Link;
  readonly orders: OrderAccess;
  /** What became of the last order. */
  readonly notice: { readonly ok: boolean; readonly text: string } | null;
  /** Narrow: the topology is drawn downwards. */
  readonly narrow: boolean;
}
