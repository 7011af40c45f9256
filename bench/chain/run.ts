// The run: stage after stage, round after round, each stack in its turn. All stacks of a stage are up at the same time and are
// measured one after another, so that whatever else the machine does meets all of them alike.

import { chmod, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { startOrigins } from "./origins.ts";
import type { Programs } from "./programs.ts";
import type { Sample } from "./sample.ts";
import { type Measure, type Scenario, SMALL, type Stage } from "./scenarios.ts";
import type { Stack } from "./stacks/stack.ts";
import { type Ground, type System, startSystem } from "./systems.ts";
import { load, look, type Means, takeTurn } from "./turn.ts";

const WARM_UP_CONNECTIONS = 64;
const WARM_REQUESTS = 30_000;
const WARM_UP_TIMES_MAX = 3;
/** Before memory is measured, the code that serves is loaded. */
const FRESH_WARM_UP_S = 1;

export interface Plan {
  readonly scenarios: readonly Scenario[];
  readonly stacks: readonly Stack[];
  readonly rounds: number;
  readonly warmUpSeconds: number;
  /** All stacks under load at the same time: for two builds of one stack, whose shares of a busy machine are then alike. */
  readonly together: boolean;
  readonly means: Means;
  readonly programs: Programs;
  readonly hasNginx: boolean;
  /** One line for whoever watches. */
  readonly say: (line: string) => void;
}

export interface Results {
  readonly samples: readonly Sample[];
  /** What could not be measured, with the reason. */
  readonly leftOut: readonly string[];
}

export async function run(plan: Plan): Promise<Results> {
  const bench = new Run(plan);
  for (const [stage, scenarios] of byStage(plan.scenarios)) await bench.stage(stage, scenarios);
  return { samples: bench.samples, leftOut: bench.leftOut };
}

class Run {
  readonly samples: Sample[] = [];
  readonly leftOut: string[] = [];
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  async stage(stage: Stage, all: readonly Scenario[]): Promise<void> {
    const scenarios = all.filter((scenario) => this.#canServe(scenario));
    if (scenarios.length === 0) return;
    const { means, programs, hasNginx } = this.#plan;
    const folder = await mkdtemp(join(means.folder, "stage-"));
    // nginx's worker, which has given up root, reads a file in here.
    await chmod(folder, 0o755);
    const wanted = { count: stage.members, manner: stage.manner, folder, standIn: programs.standIn, hasNginx };
    const origins = await startOrigins(this.#plan.means.children, wanted);
    const ground = { children: this.#plan.means.children, stage, ports: origins.ports, folder };
    const steady = scenarios.filter(({ measure }) => !isFresh(measure));
    if (steady.length > 0) await this.#steady(steady, ground);
    for (const scenario of scenarios.filter(({ measure }) => isFresh(measure))) await this.#fresh(scenario, ground);
    await this.#plan.means.children.stop([origins.child]);
  }

  /** All stacks up, warmed, and measured in turns. */
  async #steady(scenarios: readonly Scenario[], ground: Ground): Promise<void> {
    const systems: System[] = [];
    for (const stack of this.#plan.stacks) {
      const system = await this.#start(stack, ground, scenarios[0] as Scenario);
      if (system !== undefined) systems.push(system);
    }
    for (const system of systems) await this.#warm(system, this.#plan.warmUpSeconds);
    for (const scenario of scenarios) {
      for (let round = 0; round < this.#plan.rounds; round += 1) {
        await this.#round(scenario, rotated(systems, round), round);
      }
    }
    for (const { children } of systems) await this.#plan.means.children.stop(children);
  }

  async #round(scenario: Scenario, systems: readonly System[], round: number): Promise<void> {
    if (this.#plan.together && scenario.measure.kind === "closed") {
      await Promise.all(systems.map((system) => this.#turn(scenario, system, round)));
    } else {
      for (const system of systems) await this.#turn(scenario, system, round);
    }
  }

  /** One stack up at a time, from its start. */
  async #fresh(scenario: Scenario, ground: Ground): Promise<void> {
    for (let round = 0; round < this.#plan.rounds; round += 1) {
      for (const stack of rotated(this.#plan.stacks, round)) {
        const system = await this.#start(stack, ground, scenario);
        if (system === undefined) continue;
        if (WARMED.includes(scenario.measure.kind)) await this.#warm(system, FRESH_WARM_UP_S);
        await this.#turn(scenario, system, round);
        await this.#plan.means.children.stop(system.children);
      }
    }
  }

  async #start(stack: Stack, ground: Ground, { name }: Scenario): Promise<System | undefined> {
    try {
      const system = await startSystem(stack, ground);
      const wrong = await look(system, SMALL);
      if (wrong === undefined) return system;
      await this.#plan.means.children.stop(system.children);
      this.#leaveOut(`${stack.name} in ${name}: ${wrong}`);
    } catch (error) {
      this.#leaveOut(`${stack.name} in ${name}: ${(error as Error).message.trim()}`);
    }
    return undefined;
  }

  /** At least so long; longer where so few requests are done in that time that a just-in-time compiler is at work still. */
  async #warm({ port }: System, seconds: number): Promise<void> {
    let requests = 0;
    for (let n = 0; n < WARM_UP_TIMES_MAX && requests < WARM_REQUESTS && seconds > 0; n += 1) {
      const loop = { port, connections: WARM_UP_CONNECTIONS, seconds, request: SMALL };
      requests += (await load(loop, this.#plan.means)).answers;
    }
  }

  async #turn({ name, measure }: Scenario, system: System, round: number): Promise<void> {
    const stack = system.stack.name;
    const unlike = measure.kind === "closed" ? await look(system, measure.request) : undefined;
    // What gives wrong answers has no figures worth a comparison.
    const parts =
      unlike === undefined
        ? await takeTurn(system, measure, this.#plan.means)
        : [{ part: "", figures: {}, wrong: [unlike] }];
    for (const each of parts) this.samples.push({ scenario: name, stack, round, ...each });
    this.#plan.say(`${name} round ${round + 1} ${stack}`);
  }

  /** The stand-in for nginx knows the small answer alone. */
  #canServe({ name, stage, measure }: Scenario): boolean {
    const isSmall = measure.kind === "closed" ? measure.request.path === SMALL.path : measure.kind !== "large";
    const simple = stage.manner === "plain" && isSmall;
    if (simple || this.#plan.hasNginx) return true;
    this.#leaveOut(`${name}: its servers need nginx`);
    return false;
  }

  #leaveOut(line: string): void {
    this.leftOut.push(line);
    this.#plan.say(`left out: ${line}`);
  }
}

const FRESH: readonly Measure["kind"][] = ["cold", "idle", "long", "large"];
const WARMED: readonly Measure["kind"][] = ["idle", "large"];
const isFresh = ({ kind }: Measure) => FRESH.includes(kind);

/** Each round begins with another one. */
function rotated<T>(list: readonly T[], round: number): T[] {
  const first = list.length === 0 ? 0 : round % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}

function byStage(scenarios: readonly Scenario[]): [Stage, Scenario[]][] {
  const groups: [Stage, Scenario[]][] = [];
  for (const scenario of scenarios) {
    const last = groups.at(-1);
    if (last !== undefined && isDeepStrictEqual(last[0], scenario.stage)) last[1].push(scenario);
    else groups.push([scenario.stage, [scenario]]);
  }
  return groups;
}
