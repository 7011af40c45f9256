// One call through the filter: judged by its row, by the container that it is about, and where it makes one by creations.ts; then written
// anew for the engine. Answers are passed on unread, but for an inspection, which is the filter's own knowledge.

import type { IncomingMessage } from "node:http";
import { copyFiles, pathsIn, whyNotCopy } from "./copying.ts";
import { Creations } from "./creations.ts";
import type { EngineClient, WholeAnswer } from "./engine-client.ts";
import type { Memory } from "./memory.ts";
import { type CallRow, callOf, type EngineCall } from "./rules/call.ts";
import { HANG } from "./rules/chaos-calls.ts";
import { targetOf, targetText } from "./rules/request-target.ts";
import { type CallSubject, type FilterScope, whyNotChange, whyNotLookAt, whyNotRename } from "./rules/subject.ts";
import { SubjectLookup } from "./subject-lookup.ts";

const EXECS_MAX = 1_000;
const SECONDS_MS = 1_000;
const STOP_MARGIN_MS = 60_000;

export interface FilteredCall {
  readonly method: string;
  readonly url: string;
  /** Reads the body, where the call may have one; undefined: it is too large, or cut short. */
  readonly body: () => Promise<string | undefined>;
  /** Whoever asked is gone. */
  readonly signal: AbortSignal;
}

export type FilterAnswer =
  | { readonly kind: "stream"; readonly answer: IncomingMessage }
  | { readonly kind: "whole"; readonly answer: WholeAnswer }
  | { readonly kind: "refused"; readonly reason: string };

export interface FilterParts {
  readonly engine: EngineClient;
  readonly memory: Memory;
  readonly rows: readonly CallRow[];
  /** Asked until it is known: the engine may come later than we do. */
  readonly scope: () => Promise<FilterScope>;
}

export class SocketFilter {
  readonly #parts: FilterParts;
  readonly #lookup: SubjectLookup;
  readonly #creations: Creations;
  /** Commands that were begun here. */
  readonly #execs = new Set<string>();

  constructor(parts: FilterParts) {
    this.#parts = parts;
    this.#lookup = new SubjectLookup(parts.engine);
    this.#creations = new Creations({ ...parts, lookup: this.#lookup });
  }

  /** @throws when the engine does not answer */
  async pass(asked: FilteredCall): Promise<FilterAnswer> {
    const target = targetOf(asked.url);
    if (typeof target === "string") return refused(target);
    const scope = await this.#parts.scope();
    const call = callOf(this.#parts.rows, asked.method, target, scope.project);
    if (call.kind === "refused") return call;
    return this.#carryOut(call, { ...asked, version: target.version, scope });
  }

  async #carryOut(call: EngineCall, asked: Asked): Promise<FilterAnswer> {
    switch (call.kind) {
      case "plain":
        return this.#stream(asked, targetText(asked.version, call.path, call.parameters));
      case "inspect":
        return this.#inspect(call.id, asked);
      case "create":
        return this.#create(call.name, asked);
      case "copy":
        return this.#copy(call.id, asked);
      case "exec-run":
        return this.#runExec(call.exec, call.what, asked);
      default:
        return this.#onContainer(call, asked);
    }
  }

  async #onContainer(call: OnContainer, asked: Asked): Promise<FilterAnswer> {
    const found = await this.#lookup.find(call.id, asked);
    if (found.kind === "none") return { kind: "whole", answer: found.answer };
    const { subject } = found;
    const reason = whyNot(call, subject, asked.scope);
    if (reason !== undefined) return refused(reason);
    const path = `/containers/${subject.id}`;
    switch (call.kind) {
      case "look":
        return this.#stream(asked, targetText(asked.version, path + call.what, call.parameters));
      case "rename":
        this.#lookup.forget(subject.id);
        return this.#stream(asked, targetText(asked.version, `${path}/rename`, new Map([["name", call.name]])));
      case "exec":
        return this.#exec(targetText(asked.version, `${path}/exec`), asked);
      case "change": {
        const silenceMs = Number(call.parameters.get("t") ?? 0) * SECONDS_MS + STOP_MARGIN_MS;
        return this.#stream(asked, targetText(asked.version, path + call.what, call.parameters), { silenceMs });
      }
      default:
        return call satisfies never;
    }
  }

  async #inspect(id: string, asked: Asked): Promise<FilterAnswer> {
    const looked = await this.#lookup.inspect(id, asked);
    if (looked.kind === "none") return { kind: "whole", answer: looked.answer };
    const reason = whyNotLookAt(looked.subject, asked.scope);
    if (reason !== undefined) return refused(reason);
    this.#parts.memory.note(looked.inspected);
    return { kind: "whole", answer: looked.answer };
  }

  async #create(name: string, asked: Asked): Promise<FilterAnswer> {
    const body = bodyIn(await asked.body());
    if (body === null) return refused("a body that is no JSON, or too large");
    const judged = await this.#creations.judge(name, body, asked);
    if (judged.kind === "refused") return judged;
    const target = targetText(asked.version, "/containers/create", new Map([["name", name]]));
    return this.#stream(asked, target, { body: judged.body });
  }

  async #copy(id: string, asked: Asked): Promise<FilterAnswer> {
    const given = (bodyIn(await asked.body()) ?? {}) as { readonly from?: unknown; readonly paths?: unknown };
    const paths = pathsIn(given.paths);
    if (paths === undefined || !isId(given.from)) return refused("a body that is no list of files of a container's");
    const from = await this.#lookup.inspect(given.from, asked);
    if (from.kind === "none") return { kind: "whole", answer: from.answer };
    const into = await this.#lookup.inspect(id, asked);
    if (into.kind === "none") return { kind: "whole", answer: into.answer };
    const reason = whyNotCopy({ from, into }, asked.scope);
    if (reason !== undefined) return refused(reason);
    const { engine } = this.#parts;
    const { version, signal } = asked;
    const message = await copyFiles({ engine, version, signal, from, into }, paths);
    const [status, bytes] = message === undefined ? [204, ""] : [409, JSON.stringify({ message })];
    return { kind: "whole", answer: { status, type: "application/json", bytes: Buffer.from(bytes) } };
  }

  async #exec(target: string, asked: Asked): Promise<FilterAnswer> {
    const body = { Cmd: HANG, AttachStdout: true, AttachStderr: true };
    const given = bodyIn(await asked.body()) as { readonly Cmd?: unknown } | null;
    if (JSON.stringify(given?.Cmd) !== JSON.stringify(HANG)) return refused("a command of the caller's choice");
    const answer = await this.#parts.engine.read({ method: "POST", target, body, signal: asked.signal });
    if (answer.status === 201) limitedAdd(this.#execs, (JSON.parse(answer.bytes.toString()) as { Id: string }).Id);
    return { kind: "whole", answer };
  }

  async #runExec(exec: string, what: "start" | "json", asked: Asked): Promise<FilterAnswer> {
    if (!this.#execs.has(exec)) return refused("a command that was begun by others");
    const target = targetText(asked.version, `/exec/${exec}/${what}`);
    return this.#stream(asked, target, what === "start" ? { body: { Detach: false, Tty: false } } : {});
  }

  async #stream({ method, signal }: Asked, target: string, more: Sending = {}): Promise<FilterAnswer> {
    const silenceMs = method === "GET" ? 0 : more.silenceMs;
    const answer = await this.#parts.engine.send({
      ...{ method, target, signal },
      ...(more.body && { body: more.body }),
      ...(silenceMs !== undefined && { silenceMs }),
    });
    return { kind: "stream", answer };
  }
}

interface Asked extends FilteredCall {
  readonly version: string;
  readonly scope: FilterScope;
}

interface Sending {
  readonly body?: Readonly<Record<string, unknown>>;
  readonly silenceMs?: number;
}

type OnContainer = Extract<EngineCall, { kind: "look" | "change" | "rename" | "exec" }>;

function whyNot(call: OnContainer, subject: CallSubject, scope: FilterScope): string | undefined {
  if (call.kind === "look") return whyNotLookAt(subject, scope);
  return call.kind === "rename" ? whyNotRename(subject, call.name, scope) : whyNotChange(subject, scope);
}

const isId = (value: unknown): value is string => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
const refused = (reason: string) => ({ kind: "refused", reason }) as const;

/** null where there is no JSON. */
function bodyIn(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "") as unknown;
  } catch {
    return null;
  }
}

function limitedAdd(ids: Set<string>, id: string): void {
  ids.add(id);
  const [oldest] = ids;
  if (ids.size > EXECS_MAX && oldest !== undefined) ids.delete(oldest);
}
