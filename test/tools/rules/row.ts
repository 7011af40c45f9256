// What a row of the table is: a rule of the checklist, its section, the fact, and how to see it. Most rows are plain bytes in
// and bytes out; one that has to happen in steps is a play.

import type { RawClient } from "../wire/raw-client.ts";
import type { Recording, RecordingOrigin, Script } from "../wire/recording-origin.ts";
import type { Topology } from "./topology.ts";

export type Row = RowFacts & (Exchanged | Played);

export interface RowFacts {
  /** Number in the checklist (1-40). */
  readonly rule: number;
  readonly section: string;
  /** The test's name. */
  readonly fact: string;
  /** It does not, for a `reason` that is not ours to mend. Should it hold all the same, the test says so, and the mark goes. */
  readonly holds?: false;
  readonly reason?: string;
  /** Takes many seconds, and nothing of the origin: it runs beside the others. */
  readonly slow?: true;
}

export interface Exchanged {
  readonly request: string;
  /** What the origin answers with, or its whole behaviour. Default: 200, `ok`. */
  readonly origin?: string | Script;
  /** What the client gets, in order. */
  readonly answers: readonly (number | Expected)[];
  /** Of the request, where the answer's framing depends on it. */
  readonly method?: string;
  /** Whether the client's connection goes on: then the next request on it is answered. */
  readonly after: "open" | "closed";
  /** The requests that reach the origin, as bytes, but for what a tier adds (see normal-form.ts). */
  readonly upstream: readonly string[] | ((at: Topology) => readonly string[]);
  /** A request may have begun to go out before its fault could be known; it must never become whole. */
  readonly begun?: "allowed";
}

export interface Played {
  readonly play: (bench: Bench) => Promise<void>;
}

/** What a play has at hand; everything is closed behind it. */
export interface Bench {
  readonly at: Topology;
  readonly origin: RecordingOrigin;
  readonly connect: () => Promise<RawClient>;
  readonly script: (script: Script) => Recording;
}

export interface Expected {
  readonly status: number | readonly number[];
  /** As the origin sent them, in order and case: all headers but framing and what a tier adds. */
  readonly headers?: readonly string[];
  /** Headers that are there, as `Name: value`. */
  readonly has?: readonly string[];
  /** Names that are not. */
  readonly lacks?: readonly string[];
  readonly body?: string;
  readonly framing?: "none" | "length" | "chunked" | "close";
  readonly trailers?: readonly string[];
  /** false: the client sees that it is not all. */
  readonly whole?: boolean;
}

/** A head from its lines; every line ends as it should. */
export function head(...lines: readonly string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A request to a.test with these headers behind its Host. */
export function request(methodAndTarget: string, ...headers: readonly string[]): string {
  return head(`${methodAndTarget} HTTP/1.1`, "Host: a.test", ...headers);
}

type Facts = readonly [rule: number, section: string, fact: string];

/** Neither tier forwards it, or what follows it: the client is told, and its connection closed. */
export function refused([rule, section, fact]: Facts, bytes: string, status: number | readonly number[] = 400): Row {
  const followed = `${bytes}${request("GET /behind-a-refused-one")}`;
  return { rule, section, fact, request: followed, answers: [{ status }], after: "closed", upstream: [] };
}

/** It reaches the origin as `upstream`, or as it is, and the client gets `ok` and may go on. */
export function passed([rule, section, fact]: Facts, bytes: string, upstream: string = bytes): Row {
  return {
    rule,
    section,
    fact,
    request: bytes,
    answers: [{ status: 200, body: "ok" }],
    after: "open",
    upstream: [upstream],
  };
}

export function played([rule, section, fact]: Facts, play: Played["play"]): Row {
  return { rule, section, fact, play };
}

/** The origin answers a GET with these bytes; the client gets `answer` and may go on, unless it says otherwise. */
export function answered(
  [rule, section, fact]: Facts,
  origin: string | Script,
  answer: number | Expected | readonly (number | Expected)[],
  more: Partial<Pick<Exchanged, "after" | "request" | "method" | "upstream">> = {},
): Row {
  const answers = Array.isArray(answer) ? (answer as readonly (number | Expected)[]) : [answer as number | Expected];
  const bytes = more.request ?? request("GET /");
  return { rule, section, fact, origin, answers, after: "open", upstream: [bytes], ...more, request: bytes };
}
