// Counters are true: what clients counted is what the balancer, the proxies and the servers say, member by member, retries apart; also
// when a server is killed in the middle of it.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { idle, series } from "../tools/http/metrics.ts";
import { HOST } from "../tools/ports.ts";
import { must, whyNo } from "../tools/process/programs.ts";
import { run } from "../tools/process/run.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { fileScope, type Scope } from "../tools/scope.ts";

const REQUESTS = 10_000;
const SOON_MS = 60_000;
const PROXIES = ["proxy-1", "proxy-2"];
const SERVERS = [1, 2, 3, 4, 5, 6].map((n) => `server-${n}`);

const scope = fileScope();
let system: ProcessSystem;
before(async () => {
  system = await startSystem(scope);
});

/** A client's own books. */
interface Summary {
  readonly answered: number;
  readonly failed: number;
  readonly ways: readonly { readonly proxy: string; readonly server: string; readonly count: number }[];
}

function clientOf(t: Scope): Promise<Summary> {
  const words = ["7", "--requests", String(REQUESTS), "--concurrency", "50", "--json"];
  const { ended } = run(t, "services/client/client", {}, [...words, "--url", `http://${HOST}:${system.balancerPort}`]);
  return ended.then(({ stdout }) => JSON.parse(stdout) as Summary);
}

type Read = ReadonlyMap<string, number>;

async function read(id: string): Promise<Read> {
  const { adminPort } = (await system.member(id)) ?? {};
  await idle(adminPort as number);
  return series(adminPort as number);
}

/** The sum of a metric's series that have all of these labels. */
function sumOf(all: Read, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return [...all]
    .filter(([text]) => text.split("{")[0] === name && wanted.every((pair) => text.includes(pair)))
    .reduce((sum, [, value]) => sum + value, 0);
}

interface Books {
  readonly balancer: Read;
  readonly proxies: ReadonlyMap<string, Read>;
}

async function books(): Promise<Books> {
  const proxies = new Map<string, Read>();
  for (const id of PROXIES) proxies.set(id, await read(id));
  return { balancer: await read("balancer"), proxies };
}

/** By how much a sum has grown. */
const grown = (was: Read, is: Read, name: string, labels?: Readonly<Record<string, string>>) =>
  sumOf(is, name, labels) - sumOf(was, name, labels);

/** That every tier has sent on what it got, each retry apart, and that the next one got all of it. */
function assertTrue(was: Books, is: Books): void {
  const sent = grown(was.balancer, is.balancer, "evenkeel_upstream_requests_total");
  const retries = grown(was.balancer, is.balancer, "evenkeel_retries_total");
  assert.equal(grown(was.balancer, is.balancer, "evenkeel_requests_total", { code: "200" }), REQUESTS);
  assert.equal(grown(was.balancer, is.balancer, "evenkeel_requests_total"), REQUESTS);
  assert.equal(grown(was.balancer, is.balancer, "evenkeel_pool_requests_total", { code: "2xx" }), REQUESTS);
  assert.equal(sent - retries, REQUESTS);
  for (const id of PROXIES) {
    const [before, now] = [was.proxies.get(id) as Read, is.proxies.get(id) as Read];
    const got = grown(before, now, "evenkeel_requests_total");
    assert.equal(grown(was.balancer, is.balancer, "evenkeel_upstream_requests_total", { upstream: id }), got, id);
    const itsRetries = grown(before, now, "evenkeel_retries_total");
    assert.equal(grown(before, now, "evenkeel_upstream_requests_total") - itsRetries, got, id);
  }
}

/** By both proxies. */
const answeredBy = ({ proxies }: Books, server: string) =>
  [...proxies.values()].reduce(
    (sum, all) => sum + sumOf(all, "evenkeel_upstream_requests_total", { upstream: server, code: "2xx" }),
    0,
  );

test("10,000 requests are as many at each tier, and at each server as the client counted", async (t) => {
  const [was, serversWere] = [await books(), await servers()];
  const { answered, failed, ways } = await clientOf(t);
  assert.deepEqual([answered, failed], [REQUESTS, 0]);
  const [is, serversAre] = [await books(), await servers()];
  assertTrue(was, is);
  for (const id of SERVERS) {
    const counted = ways.filter(({ server }) => server === id).reduce((sum, { count }) => sum + count, 0);
    assert.equal(answeredBy(is, id) - answeredBy(was, id), counted, id);
    assert.equal((serversAre.get(id) as number) - (serversWere.get(id) as number), counted, id);
  }
});

test("another program's 10,000 requests are counted as it counts them", { skip: whyNo("ab") }, async () => {
  const was = await books();
  const url = `http://${HOST}:${system.balancerPort}/`;
  const { stdout } = await must("ab", ["-k", "-l", "-n", String(REQUESTS), "-c", "50", url]);
  assert.match(stdout, /^Complete requests: +10000$/m);
  assert.match(stdout, /^Failed requests: +0$/m);
  assertTrue(was, await books());
});

test("they are as many when a server is killed in the middle, and each retry is told apart", async (t) => {
  const was = await books();
  const serversWere = await servers();
  const begun = sumOf(was.balancer, "evenkeel_requests_total");
  let over = false;
  const counted = clientOf(t).finally(() => {
    over = true;
  });
  const adminPort = (await system.member("balancer"))?.adminPort as number;
  const now = async () => sumOf(await series(adminPort), "evenkeel_requests_total");
  await eventually("it is well under way", async () => (await now()) > begun + REQUESTS / 10, SOON_MS);
  const healed = system.healsAfter("SIGKILL", "server-3");
  assert.equal(over, false);
  await healed;
  const { answered, failed, ways } = await counted;
  assert.deepEqual([answered, failed], [REQUESTS, 0]);
  const is = await books();
  const serversAre = await servers();
  assertTrue(was, is);
  for (const id of SERVERS) {
    const its = ways.filter(({ server }) => server === id).reduce((sum, { count }) => sum + count, 0);
    assert.equal(answeredBy(is, id) - answeredBy(was, id), its, id);
    // What the one that was killed had counted of itself is gone with it.
    if (id !== "server-3") assert.equal((serversAre.get(id) as number) - (serversWere.get(id) as number), its, id);
  }
  const [one, other] = PROXIES.map((id) => [was.proxies.get(id), is.proxies.get(id)] as [Read, Read]);
  const failures = [one, other].map((proxy) => grown(...(proxy as [Read, Read]), "evenkeel_upstream_failures_total"));
  const retries = [one, other].map((proxy) => grown(...(proxy as [Read, Read]), "evenkeel_retries_total"));
  assert.deepEqual(retries, failures);
});

/** How many requests each server has counted itself. */
async function servers(): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const id of SERVERS) {
    const { adminPort } = (await system.member(id)) ?? {};
    counts.set(id, sumOf(await series(adminPort as number), "evenkeel_server_requests_total"));
  }
  return counts;
}
