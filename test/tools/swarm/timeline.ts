// What happened on a stack, and when: each document of the registry as a tier on the first node gets it, and each signal that either
// engine sent a task. For facts about the order of things, which a look now and then would miss.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { isNewerVersion, type MemberState } from "../../../services/registry/document.ts";
import { eventually } from "../eventually.ts";
import { wallMs } from "../load/timed-load.ts";
import type { Scope } from "../scope.ts";

export interface Published {
  readonly atMs: number;
  readonly version: number;
  /** By member. */
  readonly states: ReadonlyMap<string, MemberState>;
}

export interface Signal {
  readonly atMs: number;
  readonly task: string;
}

/** Runs in a container of ours, beside a tier: prints each document as a line. */
const FOLLOW = `
const ask = (after) => new Promise((resolve, reject) => {
  const request = require("node:http").get("http://watchdog:8404/registry" + after, { agent: false, timeout: 30_000 }, (response) => {
    let text = "";
    response.on("data", (piece) => { text += piece; }).on("error", reject);
    response.on("end", () => resolve(response.statusCode === 200 ? JSON.parse(text) : undefined));
  });
  const late = setTimeout(() => request.destroy(new Error("no connection")), 1_000);
  request.on("socket", (socket) => socket.once("connect", () => clearTimeout(late)));
  request.on("error", reject).on("timeout", () => request.destroy());
});
const follow = async () => {
  for (let after = ""; ; ) {
    try {
      const document = await ask(after);
      if (document === undefined) continue;
      after = "?after=" + document.version;
      console.log(JSON.stringify({ version: document.version, states: document.members.map(({ id, state }) => [id, state]) }));
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
};
follow();
`;

export class Timeline {
  readonly documents: Published[] = [];
  readonly terminated: Signal[] = [];

  /** When a member was first said to be in a state since then; undefined: not yet. */
  firstMs(member: string, state: MemberState | "out", sinceMs = 0): number | undefined {
    const found = this.documents.find(({ atMs, states }) => atMs >= sinceMs && (states.get(member) ?? "out") === state);
    return found?.atMs;
  }

  /** When the next document came. */
  async nextMs(sinceMs: number): Promise<number> {
    const next = () => this.documents.find(({ atMs }) => atMs > sinceMs);
    return (await eventually("another document", next, 30_000)).atMs;
  }

  /** Each document is newer than the one before it. */
  assertGrowing(): void {
    const versions = this.documents.map(({ version }) => version);
    assert.deepEqual(
      versions.filter((version, at) => at > 0 && !isNewerVersion(version, versions[at - 1] as number)),
      [],
    );
  }

  /** When none of these was served any more. */
  async noneServes(members: readonly string[], sinceMs: number): Promise<number> {
    const isOut = ({ atMs, states }: Published) =>
      atMs >= sinceMs && members.every((member) => !["serving", "starting"].includes(states.get(member) ?? "out"));
    const what = () =>
      `out of traffic: ${members.filter((one) => this.documents.at(-1)?.states.get(one) === "serving")}`;
    return (await eventually(what, () => this.documents.find(isOut), 30_000)).atMs;
  }
}

/** @param container of ours, on this engine, that outlives what is looked at */
export async function followStack(
  scope: Scope,
  { container, engines }: { readonly container: string; readonly engines: readonly (readonly string[])[] },
): Promise<Timeline> {
  const timeline = new Timeline();
  linesOf(scope, ["exec", container, "node", "-e", FOLLOW], (line) => {
    const { version, states } = JSON.parse(line) as { version: number; states: [string, MemberState][] };
    timeline.documents.push({ atMs: wallMs(), version, states: new Map(states) });
  });
  for (const engine of engines) {
    const format =
      '{{.TimeNano}} {{index .Actor.Attributes "signal"}} {{index .Actor.Attributes "com.docker.swarm.task.id"}}';
    linesOf(scope, [...engine, "events", "--filter", "event=kill", "--format", format], (line) => {
      const [nanoseconds = "", signal, task = ""] = line.split(" ");
      if (signal === "15" && task !== "") timeline.terminated.push({ atMs: Number(nanoseconds) / 1e6, task });
    });
  }
  await eventually("a first document", () => timeline.documents[0], 30_000);
  return timeline;
}

function linesOf(scope: Scope, command: readonly string[], onLine: (line: string) => void): void {
  const child = spawn("docker", command, { stdio: ["ignore", "pipe", "ignore"] });
  createInterface({ input: child.stdout }).on("line", onLine);
  scope.after(() => void child.kill());
}
