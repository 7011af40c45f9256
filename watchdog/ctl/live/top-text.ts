// Pure. The status page's table of members as lines of a terminal: the state of all in a word, a row a member, the latest incidents.

import type { LiveLine } from "../../../services/command-line/live-lines.ts";
import { plain, table } from "../../../services/command-line/text-table.ts";
import { tookMs, utc } from "../../api/view.ts";
import { agoShown, msShown, rateShown, shareShown } from "../../page/view/format.ts";
import type { SeenFigures, SeenPage, SeenState } from "./page-events.ts";

type SeenMember = SeenState["members"][number];

const INCIDENTS_SHOWN = 3;
const TONES = { good: undefined, off: undefined, odd: "odd", bad: "bad" } as const;
const WORD_TONES = { serving: "good", degraded: "odd", outage: "bad", unknown: "odd" } as const;

const COLUMNS = [
  { title: "MEMBER" },
  { title: "STATE" },
  { title: "ADDRESS" },
  { title: "VERSION" },
  { title: "WEIGHT", align: "right" },
  { title: "IN FLIGHT", align: "right" },
  { title: "REQ/S", align: "right" },
  { title: "ERR %", align: "right" },
  { title: "P50 MS", align: "right" },
  { title: "P99 MS", align: "right" },
  { title: "RESTARTS", align: "right" },
  { title: "LAST PROBE" },
] as const;

export interface SeenNow extends SeenPage {
  readonly nowMs: number;
  /** Since when nobody answers; undefined: somebody does. */
  readonly lostMs: number | undefined;
}

export function topLines({ state, traffic, incidents = [], nowMs, lostMs }: SeenNow): LiveLine[] {
  if (state === undefined) return [{ text: "the watchdog has yet to say anything" }];
  const { overview, members } = state;
  const project = overview.project === "" ? "" : `${plain(overview.project)}  `;
  const figures = (id: string) => traffic?.members[id];
  const [heads = "", ...rows] = table(
    COLUMNS,
    members.map((member) => cells(member, figures(member.id), nowMs)),
  ).split("\n");
  return [
    ...(lostMs === undefined ? [] : [lost(nowMs - lostMs)]),
    { text: `${project}${overview.word.toUpperCase()}  ${plain(overview.reason)}`, tone: WORD_TONES[overview.word] },
    { text: `${totalText(traffic?.total ?? undefined)}, registry version ${overview.registryVersion}` },
    { text: "" },
    { text: heads },
    ...rows.map((text, index) => toned(text, members[index]?.severity ?? "good")),
    ...(incidents.length === 0 ? [] : [{ text: "" }]),
    ...incidents.slice(0, INCIDENTS_SHOWN).map((incident) => ({ text: incidentText(incident) })),
  ];
}

function toned(text: string, severity: SeenMember["severity"]): LiveLine {
  const tone = TONES[severity];
  return tone === undefined ? { text } : { text, tone };
}

function lost(ms: number): LiveLine {
  return {
    text: `watchdog unreachable for ${agoShown(ms)}; traffic goes on, and this is what it last said`,
    tone: "bad",
  };
}

function totalText(total: SeenFigures | undefined): string {
  const { perSecond, inFlight = 0, errorShare, p50Ms, p99Ms } = total ?? {};
  const figures = [`${rateShown(perSecond)} requests a second`, `${shareShown(errorShare)} % errors`];
  return [...figures, `p50 ${msShown(p50Ms)} ms`, `p99 ${msShown(p99Ms)} ms`, `${inFlight} in flight`].join(", ");
}

function cells(member: SeenMember, figures: SeenFigures | undefined, nowMs: number): string[] {
  const { id, status, sinceMs, reason, remarks, address, version, weight, restarts, probe } = member;
  const since = sinceMs === null ? "" : ` ${agoShown(nowMs - sinceMs)}`;
  const more = [...remarks, reason].filter(Boolean).map((word) => `, ${word}`);
  return [
    id,
    `${status}${since}${more.join("")}`,
    address ?? "-",
    version ?? "-",
    weight === null ? "-" : String(Number(weight.toFixed(2))),
    figures === undefined ? "-" : String(figures.inFlight),
    rateShown(figures?.perSecond),
    shareShown(figures?.errorShare),
    msShown(figures?.p50Ms),
    msShown(figures?.p99Ms),
    String(restarts),
    probe,
  ];
}

function incidentText({ number, slot, cause, outcome, times }: NonNullable<SeenPage["incidents"]>[number]): string {
  const took = tookMs(times);
  const ended = `${outcome.replace("-", " ")}${took === undefined ? "" : ` in ${took} ms`}`;
  return `incident ${number}  ${utc(times.detectedMs)}  ${plain(slot)} ${ended}: ${plain(cause)}`;
}
