// The access log: a line for a request that is over, with every attempt at a member, what it was answered with, and how long it took; and
// one for what could not be read as a request. Which of them have a line is the setting's to say; where it is off there is no such object.
// Never a query, a header's value or a body: they hold what is nobody's business.

import type { Fault } from "../../http/message/faults.ts";
import { headerId } from "../../http/message/known-headers.ts";
import type { RequestHead } from "../../http/parsing/request-parser.ts";
import { monotonicMs, nowMs } from "../../runtime/clock.ts";
import type { Settings } from "../../runtime/config.ts";
import type { Log } from "../../runtime/log.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";
import type { Attempted } from "./attempt-log.ts";

const SHOWN_MAX = 256;
/** When everything fails every request would have one. */
const LINES_PER_SECOND_MAX = 1_000;
const TRACE_ID = /^traceparent:[ \t]*[0-9a-f]{2}-([0-9a-f]{32})-/im;
const REQUEST_ID = /^x-request-id:[ \t]*([^\r\n]*?)[ \t]*\r?$/im;

type AccessSettings = Pick<Settings, "ACCESS_LOG" | "ACCESS_LOG_EVERY">;

export interface Answered {
  readonly status: number;
  /** From its head to the last byte of its answer. */
  readonly ms: number;
  /** Its header lines as the member got them; undefined: nobody did. */
  readonly fields?: string | undefined;
}

/** What was known of a request when the head of its answer came. */
interface Known {
  readonly member: string | undefined;
  readonly failed: Attempted["failed"];
  readonly attempts: number;
  readonly headMs: number;
}

export function accessLog(settings: AccessSettings, log: Log): AccessLog | undefined {
  return settings.ACCESS_LOG === "off" ? undefined : new AccessLog(settings, log);
}

export class AccessLog {
  readonly #settings: AccessSettings;
  readonly #log: Log;
  readonly #known = new WeakMap<RequestHead, Known>();
  #count = 0;
  #logged = { second: 0, lines: 0 };
  #unsaid = 0;

  constructor(settings: AccessSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  /** The head of its answer has come, or none will. */
  answering({ exchange, member, failed }: Attempted, { kind }: AttemptOutcome): void {
    const attempts = failed.length + (kind === "answered" ? 1 : 0);
    this.#known.set(exchange.request, { member: member?.id, failed, attempts, headMs: monotonicMs() });
  }

  /** It is over. */
  over(request: RequestHead, { status, ms, fields = "" }: Answered): void {
    const known = this.#known.get(request);
    // The same object may hold another request's head next.
    this.#known.delete(request);
    const failed = known?.failed ?? [];
    if (!this.#isWanted(status, failed.length > 0) || !this.#mayLog()) return;
    const headMs = known && ms - (monotonicMs() - known.headMs);
    this.#say({
      method: request.method,
      host: shown(request.value(headerId.host)),
      path: shown(pathOf(request.target)),
      status,
      member: known?.member,
      attempts: known?.attempts ?? 0,
      ...(failed.length > 0 && { failed: failed.map(({ member, failure }) => ({ member, failure })) }),
      ms: rounded(ms),
      ...(headMs !== undefined && { headMs: rounded(headMs) }),
      requestId: shown(REQUEST_ID.exec(fields)?.[1]),
      traceId: TRACE_ID.exec(fields)?.[1],
    });
  }

  /** What came was no request: of its text nothing is written, for it may be anything. */
  refused({ status, rule }: Fault): void {
    if (this.#isWanted(status, false) && this.#mayLog()) this.#say({ status, rule });
  }

  #isWanted(status: number, hasFailed: boolean): boolean {
    const { ACCESS_LOG, ACCESS_LOG_EVERY } = this.#settings;
    if (ACCESS_LOG === "all" || status >= 500 || hasFailed) return true;
    if (ACCESS_LOG === "errors") return false;
    this.#count += 1;
    return this.#count % ACCESS_LOG_EVERY === 0;
  }

  #mayLog(): boolean {
    if (this.#settings.ACCESS_LOG === "all") return true;
    const second = Math.floor(nowMs() / 1_000);
    this.#logged = second === this.#logged.second ? { second, lines: this.#logged.lines + 1 } : { second, lines: 1 };
    if (this.#logged.lines <= LINES_PER_SECOND_MAX) return true;
    this.#unsaid += 1;
    return false;
  }

  #say(fields: Readonly<Record<string, unknown>>): void {
    this.#log("access", { ...fields, ...(this.#unsaid > 0 && { unsaid: this.#unsaid }) });
    this.#unsaid = 0;
  }
}

/** Without a query, and of what is no path without the name and password that some write before a host. */
function pathOf(target: string): string {
  const path = target.split("?", 1)[0] as string;
  return path[0] === "/" ? path : path.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/]*@/i, "$1");
}

const shown = (text: string | undefined) => text?.slice(0, SHOWN_MAX);
const rounded = (ms: number) => Math.max(0, Math.round(ms * 100) / 100);
