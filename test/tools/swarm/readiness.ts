// A tier's /readyz, asked in its own container until that ends: its admin port is published nowhere.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { eventually } from "../eventually.ts";
import { wallMs } from "../load/timed-load.ts";
import type { Scope } from "../scope.ts";

const ASK = `
const ask = async () => {
  const answer = await fetch("http://127.0.0.1:9101/readyz").catch(() => undefined);
  console.log(answer?.status ?? "silent");
  setTimeout(ask, 50);
};
ask();
`;

export interface Readiness {
  /** When it first answered 503. */
  readonly firstNotReadyMs: number | undefined;
}

export async function watchReadiness(scope: Scope, container: string): Promise<Readiness> {
  const readiness = { firstNotReadyMs: undefined as number | undefined };
  const child = spawn("docker", ["exec", container, "node", "-e", ASK], { stdio: ["ignore", "pipe", "ignore"] });
  let isReady = false;
  createInterface({ input: child.stdout }).on("line", (line) => {
    isReady ||= line === "200";
    if (line === "503") readiness.firstNotReadyMs ??= wallMs();
  });
  scope.after(() => void child.kill());
  await eventually("it is ready", () => isReady, 30_000);
  return readiness;
}
