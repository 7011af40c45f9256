// The containers that calls are about, as the engine has them. What of one never changes is asked once.

import type { ContainerInspectInfo } from "dockerode";
import type { EngineClient, WholeAnswer } from "./engine-client.ts";
import { type CallSubject, subjectOf } from "./rules/subject.ts";

const KNOWN_MAX = 2_000;

interface None {
  readonly kind: "none";
  /** The engine's own. */
  readonly answer: WholeAnswer;
}

export interface LookedAt {
  readonly kind: "found";
  readonly subject: CallSubject;
  readonly inspected: ContainerInspectInfo;
  readonly answer: WholeAnswer;
}

interface Asking {
  readonly version: string;
  readonly signal: AbortSignal;
}

export class SubjectLookup {
  readonly #engine: EngineClient;
  /** By full id. */
  readonly #known = new Map<string, CallSubject>();

  constructor(engine: EngineClient) {
    this.#engine = engine;
  }

  /** @param id a name, or the begin of an id, too. @throws when the engine does not answer */
  async find(id: string, asking: Asking): Promise<None | Pick<LookedAt, "kind" | "subject">> {
    const subject = this.#known.get(id);
    return subject === undefined ? this.inspect(id, asking) : { kind: "found", subject };
  }

  /** @throws when the engine does not answer */
  async inspect(id: string, { version, signal }: Asking): Promise<None | LookedAt> {
    const target = `${version}/containers/${id}/json`;
    const answer = await this.#engine.read({ method: "GET", target, signal });
    if (answer.status !== 200) return { kind: "none", answer };
    const inspected = JSON.parse(answer.bytes.toString()) as ContainerInspectInfo;
    const subject = subjectOf(inspected);
    this.#remember(subject);
    return { kind: "found", subject, inspected, answer };
  }

  /** Its name is about to change. */
  forget(id: string): void {
    this.#known.delete(id);
  }

  #remember(subject: CallSubject): void {
    this.#known.delete(subject.id);
    this.#known.set(subject.id, subject);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
  }
}
