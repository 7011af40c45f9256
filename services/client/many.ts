// Many requests of the client: they are sent, counted, shown while they go on, and summed up, also after Ctrl-C.

import { print, stopSignal } from "../command-line/command-line.ts";
import { LiveLines, terminalOf } from "../command-line/live-lines.ts";
import { exitCode } from "../runtime/exit.ts";
import { ClientLoad, type LoadPlan } from "./load.ts";
import { Recent } from "./recent.ts";
import { type RequestResult, targetOf } from "./request.ts";
import { Requester } from "./requester.ts";
import { type RunResult, summaryDocument, summaryText } from "./summary.ts";
import { Tally } from "./tally.ts";
import { progress, watchedLine, watching } from "./views.ts";

/** LiveLines draws less often than it is told. */
const SHOW_EVERY_MS = 50;
const WRITE_EVERY_MS = 1_000;
/** What the first lines of a refusal say. */
const BODY_KEPT_BYTES = 1_024;

export interface ManyWanted {
  /** The client's number. */
  readonly client: number;
  readonly url: URL;
  readonly plan: LoadPlan;
  readonly watch: boolean;
  readonly json: boolean;
}

/** Resolves with the exit code. */
export async function many({ client, url, plan, watch, json }: ManyWanted): Promise<number> {
  const stop = stopSignal();
  const tally = new Tally();
  const recent = new Recent();
  const requester = new Requester(targetOf(url, client), { connections: plan.concurrency, keptBytes: BODY_KEPT_BYTES });
  const onResult = (result: RequestResult) => {
    tally.count(result);
    if (watch && result.ok) recent.count(result.server, load.elapsedMs);
  };
  const load = new ClientLoad({ plan, ask: () => requester.ask(), onResult, stop });
  const result = () => resultOf({ client, plan, tally, elapsedMs: load.elapsedMs });
  const end = shown({ plan, watch, recent, result });
  await load.run();
  const last = result();
  requester.close();
  end();
  tell(last, json);
  return tally.failed === 0 ? 0 : exitCode.failed;
}

interface Running {
  readonly client: number;
  readonly plan: LoadPlan;
  readonly tally: Tally;
  readonly elapsedMs: number;
}

function resultOf({ client, plan, tally, elapsedMs }: Running): RunResult {
  const { answered, failed, latency, ways, bars, failures } = tally;
  const notSent = plan.requests === undefined ? undefined : plan.requests - answered - failed;
  return { client, answered, failed, notSent, elapsedMs, latency, ways, bars, failures };
}

interface Shown {
  readonly plan: LoadPlan;
  readonly watch: boolean;
  readonly recent: Recent;
  readonly result: () => RunResult;
}

/** On a terminal it is drawn; in a pipe --watch is a line each second, and the rest is silent. @returns how it ends */
function shown({ plan, watch, recent, result }: Shown): () => void {
  const terminal = terminalOf(process.stderr);
  if (terminal === undefined) {
    if (!watch) return () => {};
    const timer = setInterval(() => print(watchedLine(result(), recent)), WRITE_EVERY_MS);
    return () => clearInterval(timer);
  }
  const live = new LiveLines(terminal);
  const lines = () => (watch ? watching(result(), recent) : progress(result(), shareOf(result(), plan)));
  const timer = setInterval(() => live.draw(lines), SHOW_EVERY_MS);
  return () => {
    clearInterval(timer);
    live.clear();
  };
}

/** By what ends it first. */
function shareOf({ answered, failed, elapsedMs }: RunResult, { requests, durationMs }: LoadPlan): number {
  const sent = requests === undefined ? 0 : (answered + failed) / requests;
  return Math.min(1, Math.max(sent, durationMs === undefined ? 0 : elapsedMs / durationMs));
}

function tell(result: RunResult, json: boolean): void {
  if (json) {
    print(JSON.stringify(summaryDocument(result), null, 2));
    return;
  }
  const { counts, failures } = summaryText(result);
  print(counts);
  for (const line of failures) console.error(line);
}
