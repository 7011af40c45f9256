// The chaos command on the whole system as child processes: its members killed, hung and told to stop at random under a
// load, and its report; and what it says to wrong words.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ChaosReport } from "../../watchdog/chaos/report.ts";
import { within } from "../tools/eventually.ts";
import { freePort } from "../tools/ports.ts";
import { type Ended, type Running, run } from "../tools/process/run.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";

const ENDS_WITHIN_MS = 120_000;
const PROGRAM = "watchdog/chaos/chaos";
/** With it every kind comes, and no group loses all of its servers at one time. */
const SEED = "413";
/** A hung server is found in a second and a half: a retry budget of 100 hides what it held by then. */
const PROBING = { PROBE_TIMEOUT_MS: "400", PROBE_FAILURES: "2" };

function chaosOn(t: TestContext, system: ProcessSystem, ...words: readonly string[]): Running {
  return run(t, PROGRAM, { ENGINE: "process", WATCHDOG_PORT: String(system.watchdogPort) }, words);
}

const ended = (running: Running) => within(ENDS_WITHIN_MS, "the end of chaos", running.ended);

test("fifteen seconds of killed, hung and stopped processes cost no GET, and every slot recovers", async (t) => {
  const system = await startSystem(t, PROBING);
  const order = ["--seconds", "15", "--seed", SEED, "--rate", "100", "--faults", "kill,hang,stop,pause", "--json"];
  const { code, stdout, stderr } = await ended(chaosOn(t, system, ...order));
  for (const line of stderr.trimEnd().split("\n")) t.diagnostic(line);
  t.diagnostic(stdout.trim());
  const report = JSON.parse(stdout) as ChaosReport;
  assert.deepEqual(report.load.failures, {});
  assert.deepEqual([code, report.passed, String(report.seed), report.leftOut], [0, true, SEED, ["pause"]]);
  const { all, kill, hang, stop } = report.faults;
  assert.ok(all.count >= 3 && all.count === kill.count + hang.count + stop.count, stdout);
  assert.deepEqual([all.recovered, report.records.length], [all.count, all.count]);
  assert.equal(stderr.trimEnd().split("\n").length, all.count);
  assert.ok(report.load.requests >= 1_400, `${report.load.requests} requests`);
});

test("Ctrl-C ends it early, with its report", async (t) => {
  const system = await startSystem(t);
  const running = chaosOn(t, system, "--minutes", "5", "--rate", "20", "--every-ms", "100", "--faults", "stop");
  await new Promise((resolve) => running.child.stderr?.once("data", resolve));
  running.child.kill("SIGINT");
  const { stdout } = await ended(running);
  assert.match(stdout, /^chaos for \d+ s, ended early: a fault every 100 ms, seed \d+ \(evenkeel \d/);
  assert.match(stdout, /\nstop +\d+ +\d+ /);
  assert.match(stdout, /\nleft out: kill|\n\d+ GETs at 20 a second, \d+ failed\n/);
});

const wrong: readonly (readonly [words: string, line: RegExp])[] = [
  ["--minutes soon", /^--minutes soon: it must be a number from 0\.017 to 1440$/],
  ["--minutes 1 --seconds 3", /^--minutes and --seconds exclude each other$/],
  ["--rate 1.5", /^--rate 1\.5: it must be a whole number from 1 to 5000$/],
  ["--rate 0", /^--rate 0: it must be a whole number from 1 to 5000$/],
  ["--every-ms 5", /^--every-ms 5: it must be a whole number from 100 to 3600000$/],
  ["--seed 4294967296", /^--seed 4294967296: it must be a whole number from 0 to 4294967295$/],
  ["--faults kill,burn", /^--faults kill,burn: it must be one or more of kill,stop,pause,hang,remove$/],
  ["--roles client", /^--roles client: it must be one or more of server,proxy,balancer$/],
  ["--url nowhere", /^--url nowhere: it must be an http:\/\/ address$/],
  ["--watchdog https://127.0.0.1", /^--watchdog https:\/\/127\.0\.0\.1: it must be an http:\/\/ address$/],
  ["--speed 9", /^Unknown option '--speed'$/],
  ["now", /^Unexpected argument 'now'/],
];

test("wrong words are answered with what is wrong, the usage and 2", async (t) => {
  const runs = wrong.map(([words, line]) => [words, line, run(t, PROGRAM, {}, words.split(" "))] as const);
  for (const [words, line, running] of runs) {
    const { code, stdout, stderr } = await ended(running);
    const [said, usage] = stderr.split("\n");
    assert.deepEqual([code, stdout], [2, ""], words);
    assert.match(said as string, line);
    assert.match(usage as string, /^usage: node chaos\.js /);
  }
});

test("--help is answered with the usage on stdout", async (t) => {
  const { code, stdout, stderr } = await ended(run(t, PROGRAM, {}, ["--help"]));
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^usage: node chaos\.js /);
});

const failures: readonly (readonly [
  fact: string,
  words: (system: ProcessSystem) => Promise<string>,
  RegExp,
  code: number,
])[] = [
  [
    "a balancer that is not there",
    async () => `--url http://127.0.0.1:${await freePort()}`,
    /^cannot reach the balancer at http:\S+: ECONNREFUSED\n$/,
    1,
  ],
  [
    "a watchdog that is not there",
    async () => `--watchdog http://127.0.0.1:${await freePort()}`,
    /^cannot read http:\S+\/api\/state \(ECONNREFUSED\): start the system first, or say with --watchdog where it is\n$/,
    1,
  ],
  [
    "faults that processes do not have",
    async () => "--faults pause",
    /^--faults pause: plain processes have only kill,/,
    2,
  ],
];

test("what cannot begin says why in one line", async (t) => {
  const system = await startSystem(t);
  for (const [fact, words, line, expected] of failures) {
    const { code, stdout, stderr }: Ended = await ended(chaosOn(t, system, ...(await words(system)).split(" ")));
    assert.deepEqual([code, stdout], [expected, ""], fact);
    assert.match(stderr, line);
  }
});
