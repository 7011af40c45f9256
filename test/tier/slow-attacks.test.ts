// Slow attacks by slowhttptest on both tiers as real processes: a thousand connections that send their heads, or their
// bodies, or read their answers, a few bytes a second. Normal requests go on all the while, and every one is counted.

import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { within } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { gauge, idle } from "../tools/http/metrics.ts";
import { origin } from "../tools/http/origin.ts";
import { say, whyNo } from "../tools/process/programs.ts";
import { startTwoTiers } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";

const CONNECTIONS = 1_000;
const ATTACK_S = 7;
const PACE_MS = 20;
/** On two busy cores; what an attack takes from everybody, it takes for as long as it lasts. */
const ANSWER_MS_MAX = 20_000;
/** Large for a page: a quarter of a GiB waits for those who do not read. */
const PAGE = Buffer.alloc(256 * 1024);

const server = await origin({ after }, (request, response) => {
  request.on("error", () => {});
  request.resume().once("end", () => void response.end(request.url === "/page" ? PAGE : "here"));
});
const { balancer, proxies } = await startTwoTiers({ after }, [entry("server-1", server.port)], {
  environment: { STOP_WITH_STDIN: "yes" },
});

const attacks = {
  "send their heads": ["-H", "-i", "1", "-x", "8", "-r", "1000"],
  "send their bodies": ["-B", "-i", "1", "-x", "8", "-r", "1000", "-s", "8192"],
  "read their answers": ["-X", "-n", "1", "-z", "16", "-r", "250", "-w", "256", "-y", "512"],
};

for (const [slowly, mode] of Object.entries(attacks)) {
  const name = `${CONNECTIONS} clients that ${slowly} slowly cost no other client a request`;
  test(name, { skip: whyNo("slowhttptest") }, async (t) => {
    const url = `http://127.0.0.1:${balancer.port}/page`;
    const limits = ["-c", String(CONNECTIONS), "-l", String(ATTACK_S), "-u", url];
    let over = false;
    const attack = say("slowhttptest", [...mode, ...limits]).finally(() => {
      over = true;
    });
    const [{ stdout }, peak, normal] = await Promise.all([attack, peakUntil(() => over), requestsUntil(() => over)]);
    const slowest = Math.max(...normal.map(({ ms }) => ms));
    t.diagnostic(
      `${normal.length} normal requests, the slowest in ${Math.round(slowest)} ms; ${peak} connections at once`,
    );
    const failed = normal.map(({ outcome }) => outcome).filter((outcome) => outcome !== "200 here");
    assert.deepEqual(failed, []);
    assert.ok(normal.length > 100);
    assert.match(stdout, /Hit test time limit/);
    assert.ok(peak > CONNECTIONS / 4, `only ${peak} connections were open at once`);
    await Promise.all([balancer, ...proxies].map(({ adminPort }) => idle(adminPort)));
  });
}

interface Normal {
  readonly outcome: string;
  readonly ms: number;
}

/** One request every PACE_MS, whatever became of the one before. */
async function requestsUntil(over: () => boolean): Promise<Normal[]> {
  const agent = new Agent({ keepAlive: true });
  const requests: Promise<Normal>[] = [];
  const startedMs = performance.now();
  while (!over()) {
    requests.push(one(agent));
    await delay(Math.max(0, startedMs + requests.length * PACE_MS - performance.now()));
  }
  const done = await Promise.all(requests);
  agent.destroy();
  return done;
}

async function one(agent: Agent): Promise<Normal> {
  const startedMs = performance.now();
  const outcome = await within(ANSWER_MS_MAX, "an answer", ask(balancer.port, { agent })).then(
    ({ status, body }) => `${status} ${body}`,
    (error: Error) => error.message,
  );
  return { outcome, ms: performance.now() - startedMs };
}

/** The most connections that the balancer had at one time. */
async function peakUntil(over: () => boolean): Promise<number> {
  let peak = 0;
  while (!over()) {
    peak = Math.max(peak, await gauge(balancer.adminPort, "evenkeel_connections_open"));
    await delay(100);
  }
  return peak;
}
