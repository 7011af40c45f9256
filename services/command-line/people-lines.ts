// Pure. The log as people read it, where it is a terminal's: `serving on http://localhost:8080`, who died, who is back. From the same
// lines that a pipe gets as JSON (events.ts); what is no news to somebody who looks on is left out.

import { bracketed } from "../runtime/address.ts";
import { type EventName, events } from "../runtime/events.ts";
import { plain } from "./text-table.ts";

const EVERYWHERE: readonly string[] = ["127.0.0.1", "0.0.0.0", "::", "::1"];

/** A line of the log; of its other fields some are read where its event has them. */
interface LoggedLine {
  readonly time: string;
  readonly id: string;
  readonly event: EventName;
  readonly [fact: string]: unknown;
}

export interface PeopleLinesParts {
  /** Whose log it is. */
  readonly id: string;
  /** What it is bound to. */
  readonly host: string;
}

export class PeopleLines {
  readonly #parts: PeopleLinesParts;
  /** By slot, when its heal began. */
  readonly #healing = new Map<string, number>();
  #status = "";

  constructor(parts: PeopleLinesParts) {
    this.#parts = parts;
  }

  /** @param text whole lines with their ends @returns the same for people, with their ends; empty: nothing to say */
  shown(text: string): string {
    return text
      .split("\n")
      .filter(Boolean)
      .flatMap((line) => this.#lines(line))
      .map((line) => `${line}\n`)
      .join("");
  }

  #lines(text: string): string[] {
    const line = lineIn(text);
    // What a program writes beside the log is not ours to leave out.
    if (line === undefined) return [plain(text)];
    return this.#said(line).map((said) => `${line.time.slice(11, 19)}  ${plain(said)}`);
  }

  #said(line: LoggedLine): string[] {
    const { id, event, slot, reason, service } = line;
    switch (event) {
      case "listening":
        return this.#listening(line);
      case "ready":
        return line.balancer === undefined ? [] : [`serving on ${this.#url(line.balancer)}${this.#status}`];
      case "heal-begun":
        return this.#healBegun(line);
      case "registry-published":
        return this.#published(line);
      case "heal-failed":
        return [`${slot}: no new one could be started: ${reason}`];
      case "stop-intent":
        return [`${line.instance} ${line.now === "none" ? "is to run again" : "was asked to stop, and is left alone"}`];
      case "stopped":
        return id === this.#parts.id ? ["stopped"] : [];
      case "roll-begun":
        return [`${service}: a roll begins`];
      case "scale-begun":
        return [`${service}: from ${line.from} to ${line.to} replicas`];
      case "roll-turned":
      case "scale-turned":
        return [`${service}: ${line.phase}${reason === undefined ? "" : `: ${reason}`}`];
      case "output":
        return [`${slot} | ${line.line}`];
      case "watchdog-respawned":
        return [`the watchdog is started again: ${reason}; traffic goes on`];
      default:
        return severe(line);
    }
  }

  #listening({ id, port }: LoggedLine): string[] {
    // Members come by the dozen, and are told of together.
    if (id !== this.#parts.id) return [];
    this.#status = `, status on ${this.#url(port)}`;
    return [`starting${this.#status}`];
  }

  #healBegun({ slot, reason, replaces, time }: LoggedLine): string[] {
    // What was never there has not died.
    if (replaces === undefined) return [];
    this.#healing.set(String(slot), Date.parse(time));
    return [`${slot}: ${reason}; a new one is on its way`];
  }

  #published({ changes, time }: LoggedLine): string[] {
    return (Array.isArray(changes) ? changes : []).flatMap((change) => {
      const [, slot = "", state] = /^(.*): .* > (\w+)$/.exec(String(change)) ?? [];
      const sinceMs = this.#healing.get(slot);
      if (state !== "serving" || sinceMs === undefined) return [];
      this.#healing.delete(slot);
      return [`${slot} is back, after ${((Date.parse(time) - sinceMs) / 1_000).toFixed(1)} s`];
    });
  }

  #url(port: unknown): string {
    const { host } = this.#parts;
    return `http://${EVERYWHERE.includes(host) ? "localhost" : bracketed(host)}:${port}`;
  }
}

/** Warnings and errors that have no words of their own: what it is called, and why. */
function severe({ id, event, member, slot, reason, failure }: LoggedLine): string[] {
  const { level } = events[event];
  if (level !== "warn" && level !== "error") return [];
  const about = [member ?? slot, reason ?? failure].filter((fact) => typeof fact === "string").join(": ");
  return [`${id}: ${event.replaceAll("-", " ")}${about === "" ? "" : ` (${about})`}`];
}

function lineIn(text: string): LoggedLine | undefined {
  try {
    const line = JSON.parse(text) as LoggedLine;
    return Object.hasOwn(events, line.event) && typeof line.time === "string" ? line : undefined;
  } catch {
    return undefined;
  }
}
