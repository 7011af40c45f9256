// The command line: one request, or many with a summary, as the client with the given number.
// Exit code 0: all answered; 1: unreachable or a 5xx; 2: wrong usage.

import { createHistogram } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { readSettings } from "../runtime/config.ts";
import { complain, exitCode } from "../runtime/exit.ts";

const USAGE = "usage: node client.js ID [--count N] [--url http://host:port]   ID and N are positive whole numbers";
const REQUEST_TIMEOUT_MS = 30_000;

interface Order {
  readonly client: number;
  readonly count: number;
  readonly url: URL;
}

type Reply =
  | { readonly ok: true; readonly server: string; readonly proxy: string; readonly ms: number; readonly body: string }
  | { readonly ok: false; readonly reason: string };

/** @returns undefined for anything but one positive whole number and known options */
function parseOrder(words: readonly string[], defaultUrl: string): Order | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { url: { type: "string" }, count: { type: "string" } },
    });
    const client = positiveInteger(positionals[0]);
    const count = positiveInteger(values.count ?? "1");
    const url = values.url ?? defaultUrl;
    if (positionals.length !== 1 || client === undefined || count === undefined || !URL.canParse(url)) return undefined;
    return { client, count, url: new URL(url) };
  } catch {
    return undefined;
  }
}

async function main(words: readonly string[]): Promise<number> {
  if (words.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const settings = readSettings({ ...process.env, ROLE: "client" });
  if (!settings.ok) return complain(settings.faults.join("\n"), exitCode.settings);
  const order = parseOrder(words, settings.settings.BALANCER_URL);
  if (order === undefined) return complain(USAGE, exitCode.usage);
  return order.count === 1 ? one(order) : many(order);
}

async function one(order: Order): Promise<number> {
  const reply = await ask(order);
  if (!reply.ok) return complain(reply.reason, exitCode.failed);
  const { server, proxy, ms, body } = reply;
  console.log(`client ${order.client}: served by ${server} through ${proxy} in ${ms.toFixed(1)} ms`);
  console.log(body.trimEnd());
  return 0;
}

/** One request after another, so that the summary counts exactly what the balancer saw. */
async function many(order: Order): Promise<number> {
  const counts = new Map<string, number>();
  const failures = new Map<string, number>();
  const micros = createHistogram();
  for (let sent = 0; sent < order.count; sent += 1) {
    const reply = await ask(order);
    if (reply.ok) {
      micros.record(Math.max(1, Math.round(reply.ms * 1000)));
      increment(counts, `${reply.proxy} > ${reply.server}`);
    } else {
      increment(failures, reply.reason);
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${sent + 1}/${order.count}`);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0);
  const percentile = (share: number) => (micros.percentile(share) / 1000).toFixed(1);
  console.log(`client ${order.client}: ${order.count - failed} answered, ${failed} failed`);
  if (failed < order.count) console.log(`p50 ${percentile(50)} ms, p99 ${percentile(99)} ms`);
  for (const [route, count] of [...counts].sort()) console.log(`${String(count).padStart(7)}  ${route}`);
  for (const [reason, count] of failures) console.error(`${String(count).padStart(7)}  ${reason}`);
  return failed === 0 ? 0 : exitCode.failed;
}

async function ask({ client, url }: Order): Promise<Reply> {
  const target = new URL(url);
  target.searchParams.set("client", String(client));
  const started = performance.now();
  try {
    const response = await fetch(target, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    const body = await response.text();
    if (response.status >= 500) {
      // A tier's own answer begins with its status.
      const said = firstLine(body).replace(`${response.status}: `, "");
      return { ok: false, reason: `${url.origin} answered ${response.status}: ${said}` };
    }
    const server = response.headers.get("X-Served-By") ?? "unknown";
    // Each tier appends itself to Via on the way back, so the first is the proxy nearest to the server.
    const proxy = /^\S+ (\S+?)(?:,|$)/.exec(response.headers.get("Via") ?? "")?.[1] ?? "no proxy";
    return { ok: true, server, proxy, ms: performance.now() - started, body };
  } catch (error) {
    return { ok: false, reason: `cannot reach the balancer at ${url.origin}: ${causeOf(error)}` };
  }
}

function causeOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}

function positiveInteger(word: string | undefined): number | undefined {
  return word !== undefined && /^[1-9]\d{0,14}$/.test(word) ? Number(word) : undefined;
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.slice(0, 200) || "no body";
}

process.exitCode = await main(process.argv.slice(2));
