// The page's figures from tiers' metrics: what is read of the text, what two looks say, and how that becomes rates and percentiles.

import assert from "node:assert/strict";
import { test } from "node:test";
import { quantileMs, trafficOf } from "../../watchdog/traffic/figures.ts";
import { readingOf } from "../../watchdog/traffic/reading.ts";
import { type Looks, passed, recent, withLook } from "../../watchdog/traffic/window.ts";

interface Upstream {
  readonly ok: number;
  readonly errors?: number;
  readonly inFlight?: number;
}

/** What a tier writes that has answered so many requests, each in 2 to 4 ms. */
function written(ok: number, upstreams: Readonly<Record<string, Upstream>> = {}): string {
  const lines = [
    "# TYPE evenkeel_requests_total counter",
    `evenkeel_requests_total{method="GET",code="200"} ${ok}`,
    `evenkeel_requests_total{method="POST",code="503"} 0`,
    `evenkeel_request_duration_seconds_bucket{le="0.002"} 0`,
    `evenkeel_request_duration_seconds_bucket{le="0.004"} ${ok}`,
    `evenkeel_request_duration_seconds_bucket{le="+Inf"} ${ok}`,
    "evenkeel_requests_in_flight 3",
    `evenkeel_pool_requests_total{pool="web",code="2xx"} ${ok}`,
    `evenkeel_pool_request_duration_seconds_bucket{pool="web",le="0.004"} ${ok}`,
    `evenkeel_pool_request_duration_seconds_bucket{pool="web",le="+Inf"} ${ok}`,
    `evenkeel_upstream_first_byte_seconds_bucket{upstream="passed-over",pool="web",le="+Inf"} 9`,
    "process_cpu_seconds_total 12.5",
  ];
  for (const [id, { ok: good, errors = 0, inFlight = 0 }] of Object.entries(upstreams)) {
    lines.push(
      `evenkeel_upstream_requests_total{upstream="${id}",pool="web",code="2xx"} ${good}`,
      `evenkeel_upstream_requests_total{upstream="${id}",pool="web",code="5xx"} ${errors}`,
      `evenkeel_upstream_request_duration_seconds_bucket{upstream="${id}",pool="web",le="0.01"} ${good + errors}`,
      `evenkeel_upstream_request_duration_seconds_bucket{upstream="${id}",pool="web",le="+Inf"} ${good + errors}`,
      `evenkeel_upstream_requests_in_flight{upstream="${id}",pool="web"} ${inFlight}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

const look = (atMs: number, text: string, generation = 1) => ({ atMs, generation, reading: readingOf(text) });
const looks = (...all: readonly ReturnType<typeof look>[]) => all.reduce(withLook, [] as Looks);

test("of a tier's metrics what came in and what went to each upstream is read, and nothing else", () => {
  const { total, inFlight, upstreams } = readingOf(written(40, { "server-1": { ok: 9, errors: 1, inFlight: 2 } }));
  assert.deepEqual([total.requests, total.errors, inFlight], [40, 0, 3]);
  assert.deepEqual([...upstreams.keys()], ["server-1"]);
  const { requests, errors, inFlight: there, within } = upstreams.get("server-1") ?? assert.fail();
  assert.deepEqual([requests, errors, there], [10, 1, 2]);
  assert.deepEqual(
    [...within],
    [
      [0.01, 10],
      [Number.POSITIVE_INFINITY, 10],
    ],
  );
});

test("what is no metrics, or hostile, counts nothing and breaks nothing", () => {
  for (const text of [
    "",
    "<html>",
    "evenkeel_requests_total",
    "evenkeel_requests_total{ 5",
    "evenkeel_requests_total NaN\n",
    'evenkeel_upstream_requests_total{code="200"} 5',
  ]) {
    const { total, upstreams } = readingOf(text);
    assert.deepEqual([total.requests, total.errors, upstreams.size], [0, 0, 0], text);
  }
  const { upstreams } = readingOf(
    `evenkeel_upstream_requests_total{upstream="__proto__",code="200"} 5\nevenkeel_upstream_requests_total{upstream="a\\"b\\\\c\\nd"} 1\n`,
  );
  assert.deepEqual([...upstreams.keys()], ["__proto__", 'a"b\\c\nd']);
});

test("however many upstreams a tier writes, so many are kept", () => {
  const lines = Array.from({ length: 5_000 }, (_, n) => `evenkeel_upstream_requests_total{upstream="s${n}"} 1`);
  assert.equal(readingOf(lines.join("\n")).upstreams.size, 2_048);
});

test("one look says nothing of rates", () => {
  assert.equal(passed(looks(look(0, written(40)))), undefined);
  assert.equal(passed([]), undefined);
});

test("rates are of what happened between the first look of the window and the last", () => {
  const seen = passed(looks(look(0, written(1_000)), look(2_000, written(1_100)), look(4_000, written(1_400))));
  assert.deepEqual([seen?.ms, seen?.total.requests], [4_000, 400]);
});

test("what is older than ten seconds is forgotten", () => {
  const all = looks(look(0, written(0)), look(6_000, written(600)), look(12_000, written(1_000)));
  assert.deepEqual([passed(all)?.ms, passed(all)?.total.requests], [6_000, 400]);
  assert.deepEqual(recent(all, 30_000), []);
});

test("a tier that is started anew counts from nought, whether its numbers or its generation say so", () => {
  const restarted = looks(look(0, written(1_000)), look(2_000, written(10)), look(4_000, written(30)));
  assert.deepEqual([passed(restarted)?.ms, passed(restarted)?.total.requests], [2_000, 20]);
  const another = looks(look(0, written(10)), look(2_000, written(500), 2));
  assert.equal(passed(another), undefined);
});

test("an upstream that comes, or comes again, counts from nought", () => {
  const before = look(0, written(0, { "server-2": { ok: 50 } }));
  const now = look(2_000, written(0, { "server-1": { ok: 7 }, "server-2": { ok: 4 } }));
  const seen = passed(looks(before, now)) ?? assert.fail();
  assert.deepEqual([seen.upstreams.get("server-1")?.requests, seen.upstreams.get("server-2")?.requests], [7, 4]);
});

test("edges are of each tier, a member's figures of all that send to it, and the whole is the balancer's", () => {
  const of = (before: string, now: string) => passed(looks(look(0, before), look(2_000, now))) ?? assert.fail();
  const balancer = of(written(0, { "proxy-1": { ok: 0 } }), written(200, { "proxy-1": { ok: 200 } }));
  const proxy = (ok: number, errors: number) =>
    of(written(0), written(ok + errors, { "server-1": { ok, errors, inFlight: 1 } }));
  const traffic = trafficOf([
    { id: "balancer", role: "balancer", passed: balancer },
    { id: "proxy-1", role: "proxy", passed: proxy(80, 20) },
    { id: "proxy-2", role: "proxy", passed: proxy(100, 0) },
  ]);
  assert.deepEqual(traffic.total, { perSecond: 100, inFlight: 3, errorShare: 0, p50Ms: 3, p99Ms: 3.98 });
  assert.deepEqual(traffic.members.balancer, traffic.total);
  assert.deepEqual(traffic.pools, { web: { perSecond: 100, inFlight: 0, errorShare: 0, p50Ms: 2, p99Ms: 3.96 } });
  const { perSecond, errorShare, inFlight } = traffic.members["server-1"] ?? assert.fail();
  assert.deepEqual([perSecond, errorShare, inFlight], [100, 0.1, 2]);
  assert.deepEqual(
    traffic.edges.map((edge) => [edge.from, edge.to, edge.perSecond, edge.errorShare]),
    [
      ["balancer", "proxy-1", 100, 0],
      ["proxy-1", "server-1", 50, 0.2],
      ["proxy-2", "server-1", 50, 0],
    ],
  );
});

const inf = Number.POSITIVE_INFINITY;
const percentiles: readonly [string, readonly [number, number][], number, number | null][] = [
  ["nothing was counted", [], 0.99, null],
  [
    "nothing happened",
    [
      [0.01, 0],
      [inf, 0],
    ],
    0.99,
    null,
  ],
  [
    "all in one bucket: evenly in it",
    [
      [0.01, 0],
      [0.02, 100],
      [inf, 100],
    ],
    0.5,
    15,
  ],
  [
    "the first bucket begins at nought",
    [
      [0.01, 100],
      [inf, 100],
    ],
    0.5,
    5,
  ],
  [
    "buckets in any order",
    [
      [inf, 100],
      [0.02, 100],
      [0.01, 0],
    ],
    0.99,
    19.9,
  ],
  [
    "past the last bound: that bound",
    [
      [0.01, 10],
      [inf, 100],
    ],
    0.99,
    10,
  ],
  [
    "an empty bucket between",
    [
      [0.01, 50],
      [0.02, 50],
      [0.04, 100],
      [inf, 100],
    ],
    0.75,
    30,
  ],
];

for (const [what, within, quantile, wanted] of percentiles) {
  test(`the percentile where ${what}`, () => {
    assert.equal(quantileMs(new Map(within), quantile), wanted);
  });
}
