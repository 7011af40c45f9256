// Carries out a row of the matrix of faults and operators' acts on the whole system, and holds what the watchdog made of it
// against what it should have: by containers, incidents, stop intents, and by what Compose thinks.

import assert from "node:assert/strict";
import { docker } from "../docker/docker.ts";
import { eventually } from "../eventually.ts";
import type { ComposeSystem, Container } from "./system.ts";

export interface MatrixRow {
  readonly action: string;
  readonly slot: string;
  readonly act: () => Promise<unknown>;
  /** The stop intents that the watchdog hears in it, step by step. */
  readonly intents: readonly string[];
  readonly outcome: Healed | Left;
}

interface Healed {
  readonly kind: "healed";
  /** Of the incidents it becomes, oldest first: all but the last have failed. */
  readonly causes: readonly RegExp[];
}

/** It is somebody's own doing. */
interface Left {
  readonly kind: "left";
  /** As the watchdog shows it meanwhile. */
  readonly life: string;
  /** The slot's container meanwhile: as before, another one that Compose made, or none. */
  readonly container: "same" | "another" | "none";
  /** Ends it; absent: it has ended. */
  readonly back?: () => Promise<unknown>;
}

/** Killed in turn, so that its heal shows that the watchdog has had the time to think about the row's slot too. */
const BYSTANDERS = ["server-1", "server-4", "server-5"];
const WITHIN_MS = 30_000;

export class Matrix {
  readonly #system: ComposeSystem;
  readonly #services: readonly string[];
  readonly #healed: string[] = [];
  readonly #lines = [line("action", "what the watchdog did", "took")];
  #bystanders = 0;

  constructor(system: ComposeSystem, services: readonly string[]) {
    this.#system = system;
    this.#services = services;
  }

  /** What came of the rows so far, for people. */
  get table(): readonly string[] {
    return this.#lines;
  }

  note(action: string, did: string, tookMs: number): void {
    this.#lines.push(line(action, did, `${Math.round(tookMs)} ms`));
  }

  async run(row: MatrixRow): Promise<void> {
    const { action, slot, act, outcome, intents } = row;
    const before = await this.#system.container(slot);
    const known = (await this.#system.incidents(slot)).length;
    const generation = (await this.#system.rows()).get(slot)?.generation ?? 0;
    const beganMs = performance.now();
    await act();
    await this.#reaches(row, generation);
    this.note(action, told(outcome), performance.now() - beganMs);
    if (outcome.kind === "healed") await this.#assertHealed(row, outcome, before, known);
    else await this.#assertLeft(row, outcome, before, known);
    await this.#assertIntents(before.Id, intents);
    await this.#assertCompose();
  }

  /** Whatever was healed once was healed for good, and nothing else ever was. */
  async assertNothingElse(): Promise<void> {
    const slots = (await this.#system.incidents()).map(({ slot }) => slot);
    assert.deepEqual(slots, this.#healed);
  }

  async #reaches({ slot, outcome }: MatrixRow, generation: number): Promise<void> {
    const life = outcome.kind === "left" ? outcome.life : "running";
    const anew = outcome.kind === "healed" || life === "running";
    await this.#system.shows(slot, life, (row) =>
      anew ? row.state === "serving" && (row.generation ?? 0) > generation : row.life === life,
    );
  }

  async #assertHealed({ slot }: MatrixRow, { causes }: Healed, before: Container, known: number): Promise<void> {
    await this.#settled();
    const after = await this.#system.container(slot);
    assert.notEqual(after.Id, before.Id);
    assert.deepEqual([after.Name, after.Config.Labels], [before.Name, before.Config.Labels]);
    const incidents = (await this.#system.incidents(slot)).slice(known);
    for (const _ of incidents) this.#healed.push(slot);
    const said = JSON.stringify(incidents);
    assert.equal(incidents.length, causes.length, said);
    for (const [index, cause] of causes.entries()) assert.match(incidents[index]?.cause ?? "", cause, said);
    assert.deepEqual(
      incidents.map(({ outcome }) => outcome),
      causes.map((_, index) => (index === causes.length - 1 ? "healed" : "failed")),
    );
    assert.equal(incidents.at(-1)?.successor, after.Id);
  }

  async #assertLeft(row: MatrixRow, outcome: Left, before: Container, known: number): Promise<void> {
    const { slot } = row;
    const now = await this.#look(slot);
    const same = { same: [before.Id], another: now.ids.filter((id) => id !== before.Id), none: [] }[outcome.container];
    assert.deepEqual([now.ids, now.life], [same, outcome.life]);
    assert.equal(now.ids.length, outcome.container === "none" ? 0 : 1);
    await this.#healBystander(slot);
    assert.deepEqual(await this.#look(slot), now);
    assert.equal((await this.#system.incidents(slot)).length, known);
    await outcome.back?.();
    await this.#system.shows(slot, "serving", ({ state }) => state === "serving");
  }

  async #look(slot: string) {
    const containers = await this.#system.containers(slot);
    const life = (await this.#system.rows()).get(slot)?.life;
    return { ids: containers.map(({ Id }) => Id), began: containers.map(({ State }) => State.StartedAt), life };
  }

  async #healBystander(other: string): Promise<void> {
    const candidates = BYSTANDERS.filter((slot) => slot !== other);
    this.#bystanders += 1;
    const slot = candidates[this.#bystanders % candidates.length] as string;
    await this.#system.healsAfter(slot, () => this.#system.must("kill", slot));
    this.#healed.push(slot);
  }

  /** By what the watchdog itself wrote when it heard of something. */
  async #assertIntents(instance: string, wanted: readonly string[]): Promise<void> {
    const { Id } = await this.#system.container("watchdog");
    let heard: string[] = [];
    const look = async () => {
      const lines = (await docker("logs", Id))
        .split("\n")
        .map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
      const intents = lines.filter(({ event, instance: whose }) => event === "stop-intent" && whose === instance);
      heard = intents.flatMap(({ was, now }) => (was === now ? [] : [now as string]));
      return heard.join() === wanted.join();
    };
    await eventually(() => `the intents ${wanted}; heard: ${heard}`, look, WITHIN_MS);
  }

  /** Every service has its one running container, and Compose finds nothing to do. */
  async #assertCompose(): Promise<void> {
    await this.#settled();
    const lines = async (...command: readonly string[]) => {
      const { code, stdout, stderr } = await this.#system.compose(...command);
      assert.equal(code, 0, stderr);
      return `${stdout}${stderr}`.trim().split("\n").sort();
    };
    const running = await lines("ps", "--all", "--format", "{{.Service}} {{.State}}");
    assert.deepEqual(
      running,
      this.#services.map((service) => `${service} running`),
    );
    const plan = (await lines("--dry-run", "up", "-d")).map((line) => line.replace(/^.*-test-\d+-(\S+)-1\s+/, "$1 "));
    assert.deepEqual(
      plan.sort(),
      this.#services.map((service) => `${service} Running`),
    );
  }

  async #settled(): Promise<void> {
    await this.#system.settled(this.#services.length);
  }
}

function line(...[action, did, took]: readonly [string, string, string]): string {
  return `${action.padEnd(36)} | ${did.padEnd(30)} | ${took}`;
}

function told(outcome: Healed | Left): string {
  if (outcome.kind === "healed")
    return outcome.causes.length === 1 ? "healed" : `healed by try ${outcome.causes.length}`;
  return `left alone: ${outcome.life}`;
}
