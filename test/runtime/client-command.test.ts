// What the words of the client's command line mean: how many, how fast, and what is wrong with others.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommand } from "../../services/client/command.ts";
import { UsageFault } from "../../services/command-line/command-line.ts";

const plans: readonly (readonly [words: string, plan: object | undefined])[] = [
  ["7", undefined],
  ["7 --requests 1", undefined],
  ["7 --json", undefined],
  ["7 --count 5", { requests: 5, durationMs: undefined, concurrency: 1, rate: undefined }],
  ["7 --requests 5 --concurrency 50", { requests: 5, durationMs: undefined, concurrency: 50, rate: undefined }],
  ["7 --requests 1 --duration 1m", { requests: 1, durationMs: 60_000, concurrency: 1, rate: undefined }],
  ["7 --duration 1.5s --rate 500", { requests: undefined, durationMs: 1_500, concurrency: 50, rate: 500 }],
  [
    "7 --duration 24h --concurrency 1 --rate 0.1",
    { requests: undefined, durationMs: 86_400_000, concurrency: 1, rate: 0.1 },
  ],
  ["7 --watch", { requests: undefined, durationMs: undefined, concurrency: 50, rate: 50 }],
  ["7 --watch --requests 1 --rate 9", { requests: 1, durationMs: undefined, concurrency: 50, rate: 9 }],
];

for (const [words, plan] of plans) {
  test(`${words} is ${plan === undefined ? "a single request" : JSON.stringify(plan)}`, () => {
    assert.deepEqual(parseCommand(words.split(" ")).plan, plan);
  });
}

const wholeNumber = "it must be a whole number from 1 to 999999999999999";
const wrong: readonly (readonly [words: readonly string[], line: string])[] = [
  [["1", "--requests", "many"], `--requests many: ${wholeNumber}`],
  [["1", "--requests", "2", "--count", "2"], "--requests and --count are the same: give one"],
  [["1", "--requests", "2", "--concurrency", "1001"], "--concurrency 1001: it must be a whole number from 1 to 1000"],
  [["1", "--requests", "2", "--rate", "0"], "--rate 0: it must be a number from 0.1 to 100000"],
  [["1", "--duration", "30"], "--duration 30: it must be a time such as 30s, 5m or 1h, from 1 ms to 24 h"],
  [["1", "--duration", "25h"], "--duration 25h: it must be a time such as 30s, 5m or 1h, from 1 ms to 24 h"],
  [
    ["1", "--rate", "9"],
    "--concurrency and --rate are for many: say how many with --requests, or how long with --duration",
  ],
  [["1", "--watch", "--json"], "--watch and --json exclude each other"],
];

for (const [words, line] of wrong) {
  test(`${words.join(" ")} is answered with: ${line}`, () => {
    assert.throws(
      () => parseCommand(words),
      (error) => error instanceof UsageFault && error.message === line,
    );
  });
}
