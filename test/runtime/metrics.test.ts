// How metrics are written that are read where they are kept: as prom-client writes its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AggregatorRegistry, Counter } from "prom-client";
import { Histogram } from "../../services/runtime/histogram.ts";
import { addReadMetric, processMetrics, type Sample } from "../../services/runtime/metrics.ts";

const hostile = 'a "quoted" \\ name\nof two lines';
const samples: readonly Sample[] = [
  { labels: { upstream: "server-1", pool: "a" }, value: 0 },
  { labels: { upstream: hostile, pool: "a" }, own: ["code", "2xx"], value: 1e21 },
  { labels: {}, own: ["failure", hostile], value: 2.5e-7 },
  { labels: {}, value: -3 },
];

/** Those of tests alone: time passes in the others. */
const ownLines = (text: string) => text.split("\n").filter((line) => /\btest_/.test(line));

test("series are written as prom-client writes them, its own metrics beside ours", async () => {
  const registry = processMetrics();
  addReadMetric(registry, { name: "test_total", help: "What.", type: "counter", read: () => samples });
  const histogram = new Histogram([0.1, 1]);
  for (const seconds of [0.1, 0.5, 7]) histogram.observe(seconds);
  const read = () => [...histogram.samples("test_seconds", { pool: "a" }), ...histogram.samples("test_seconds", {})];
  addReadMetric(registry, { name: "test_seconds", help: "How long.", type: "histogram", read });
  new Counter({ name: "test_other_total", help: "Its own.", registers: [registry] }).inc(2);
  const byItself = await AggregatorRegistry.aggregate([await registry.getMetricsAsJSON()]).metrics();
  const text = await registry.metrics();
  assert.deepEqual(ownLines(text), ownLines(byItself));
  assert.equal(ownLines(text).filter((line) => line.startsWith("test_seconds_bucket")).length, 6);
});

test("an observation at a bound is in its bucket, and each bucket holds those below it", () => {
  const histogram = new Histogram([0.1, 1]);
  for (const seconds of [0.1, 0.5, 7]) histogram.observe(seconds);
  const told = histogram.samples("a", {}).map(({ own, value }) => [own?.[1], value]);
  assert.deepEqual(told, [
    [0.1, 1],
    [1, 2],
    ["+Inf", 3],
    [undefined, 7.6],
    [undefined, 3],
  ]);
});

test("what is no number is written as the text format has it", async () => {
  const registry = processMetrics();
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const read = () => values.map((value, at) => ({ labels: { at }, value }));
  addReadMetric(registry, { name: "test", help: "What.", type: "gauge", read });
  const lines = (await registry.metrics()).split("\n").filter((line) => line.startsWith("test{"));
  assert.deepEqual(lines, ['test{at="0"} NaN', 'test{at="1"} +Inf', 'test{at="2"} -Inf']);
});
