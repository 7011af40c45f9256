// Pure. Numbers and times as the page writes them: short, and as wide as they were before.

import type { Figures } from "../../traffic/figures.ts";

/** @param all by id: one may be called "constructor" */
export function figuresOf(id: string, all: Readonly<Record<string, Figures>> = {}): Figures | undefined {
  return Object.hasOwn(all, id) ? all[id] : undefined;
}

/** A rate, such as 0, 4.2, 87, 1.3k. */
export function rateShown(perSecond: number | undefined): string {
  if (perSecond === undefined) return "–";
  if (perSecond === 0) return "0";
  if (perSecond < 0.1) return "<0.1";
  if (perSecond < 10) return perSecond.toFixed(1);
  if (perSecond < 1_000) return String(Math.round(perSecond));
  return `${(perSecond / 1_000).toFixed(perSecond < 10_000 ? 1 : 0)}k`;
}

/** Of errors: what is not nought never reads as nought. */
export function shareShown(share: number | null | undefined): string {
  if (share === null || share === undefined) return "–";
  if (share === 0) return "0";
  const percent = share * 100;
  return percent < 0.1 ? "<0.1" : percent < 10 ? percent.toFixed(1) : String(Math.round(percent));
}

export function msShown(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1) return "<1";
  if (ms < 10) return ms.toFixed(1);
  return String(Math.round(ms));
}

/** A time that has passed, to its largest unit: 8 s, 3 min, 5 h, 2 d. */
export function agoShown(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** The time of day in UTC, as in every log line. */
export function clockShown(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}

/** The same to the millisecond: steps of one heal are told apart. */
export function instantShown(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

export function dayShown(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
