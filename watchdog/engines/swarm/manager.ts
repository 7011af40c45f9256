// A Swarm manager's API, asked and never told: every call here is a GET. Services and nodes are asked for again when an event tells of a
// change of theirs, or after a while; tasks, of which no event tells, each time.

import { monotonicMs } from "../../../services/runtime/clock.ts";
import type { Connection } from "../docker/connection.ts";
import { nodesIn, type SwarmNode, type SwarmService, type SwarmTask, servicesIn, tasksIn } from "./answers.ts";
import { isLiving, type ManagerAnswers } from "./tasks.ts";

const STACK_LABEL = "com.docker.stack.namespace";
const ASK_AGAIN_MS = 10_000;
/** Beyond so many, whoever left is looked for among all there ever were: a filter takes no longer list. */
const NAMED_MAX = 100;

/** The stack that a container is of; undefined: of none. */
export function stackOf(labels: Readonly<Record<string, string>>): string | undefined {
  return labels[STACK_LABEL];
}

/** For filters: what is of a stack. */
export const ofStack = (stack: string) => `${STACK_LABEL}=${stack}`;

export class Manager {
  readonly #connection: Connection;
  readonly #label: readonly string[];
  readonly #services: Kept<readonly SwarmService[]>;
  readonly #nodes: Kept<readonly SwarmNode[]>;
  /** The tasks that lived when they were last asked for. */
  #living: ReadonlySet<string> = new Set();

  constructor(connection: Connection, stack: string) {
    const { calls } = connection;
    this.#connection = connection;
    this.#label = [ofStack(stack)];
    this.#services = new Kept(async () =>
      servicesIn(await calls.listServices({ filters: { label: [...this.#label] } })),
    );
    this.#nodes = new Kept(async () => nodesIn(await calls.listNodes()));
  }

  /** A service or a node has changed. */
  changed(): void {
    this.#services.drop();
    this.#nodes.drop();
  }

  /** @throws Error when the manager does not answer, or has no quorum */
  async answers(): Promise<ManagerAnswers> {
    const [tasks, before, nodes] = await Promise.all([this.#tasks(), this.#services.get(), this.#nodes.get()]);
    const known = new Set(before.map(({ ID }) => ID));
    const isNew = tasks.some(({ ServiceID }) => !known.has(ServiceID));
    if (isNew) this.#services.drop();
    return { tasks, services: isNew ? await this.#services.get() : before, nodes };
  }

  /** Those that are to run, and those that were and still do: they are on their way out. */
  async #tasks(): Promise<readonly SwarmTask[]> {
    const running = await this.#list({ label: this.#label, "desired-state": ["running"] });
    const wanted = new Set(running.map(({ ID }) => ID));
    const left = [...this.#living].filter((id) => !wanted.has(id));
    const leaving =
      left.length === 0 ? [] : await this.#list(left.length > NAMED_MAX ? { label: this.#label } : { id: left });
    const names = new Set(left);
    const tasks = [...running, ...leaving.filter(({ ID }) => names.has(ID))].filter(isLiving);
    this.#living = new Set(tasks.map(({ ID }) => ID));
    return tasks;
  }

  async #list(filters: Readonly<Record<string, readonly string[]>>): Promise<readonly SwarmTask[]> {
    return tasksIn(await this.#connection.calls.listTasks({ filters }));
  }
}

/** An answer that is good for a while. */
class Kept<Answer> {
  readonly #ask: () => Promise<Answer>;
  #answer: { readonly is: Promise<Answer>; readonly askedMs: number } | undefined;

  constructor(ask: () => Promise<Answer>) {
    this.#ask = ask;
  }

  get(): Promise<Answer> {
    const now = monotonicMs();
    if (this.#answer !== undefined && now - this.#answer.askedMs < ASK_AGAIN_MS) return this.#answer.is;
    const asked = { is: this.#ask(), askedMs: now };
    this.#answer = asked;
    // What came to nothing is asked for again.
    asked.is.catch(() => {
      if (this.#answer === asked) this.#answer = undefined;
    });
    return asked.is;
  }

  drop(): void {
    this.#answer = undefined;
  }
}
