import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Deadline, TICK_MS, Timers } from "../../services/net/timers.ts";

/** A wheel whose time goes on only when it is told to. */
function wheel() {
  let nowMs = 1_000_000;
  const timers = new Timers(() => nowMs);
  const fired: string[] = [];
  const deadline = (name: string) =>
    new Deadline({ onDeadline: () => void fired.push(`${name} at ${nowMs - 1_000_000}`) }, timers);
  const pass = (ms: number) => {
    const end = nowMs + ms;
    while (nowMs < end) {
      nowMs = Math.min(end, nowMs + TICK_MS);
      timers.tick();
    }
  };
  const jump = (ms: number) => {
    nowMs += ms;
    timers.tick();
  };
  return { timers, fired, deadline, pass, jump };
}

test("a deadline comes once, not early, and at most two ticks late", () => {
  const { deadline, fired, pass, timers } = wheel();
  deadline("a").set(250);
  deadline("b").set(1_000);
  pass(5_000);
  assert.deepEqual(fired, ["a at 300", "b at 1000"]);
  assert.equal(timers.count, 0);
});

test("a deadline that is set anew comes at its last time, be that earlier or later", () => {
  const { deadline, fired, pass } = wheel();
  const [later, earlier] = [deadline("later"), deadline("earlier")];
  later.set(300);
  later.set(900);
  earlier.set(900);
  earlier.set(300);
  pass(2_000);
  assert.deepEqual(fired, ["earlier at 300", "later at 900"]);
});

test("a deadline that is hastened between all ticks comes at the first of them", () => {
  const { deadline, fired, jump, pass } = wheel();
  const hastened = deadline("hastened");
  hastened.set(5_000);
  jump(50);
  // The wheel ticks in the middle between two full hundreds, and what hastens comes just before.
  for (let time = 0; time < 20 && fired.length === 0; time += 1) {
    hastened.hasten();
    jump(TICK_MS);
  }
  assert.deepEqual(fired, ["hastened at 150"]);
  hastened.hasten();
  pass(2 * TICK_MS);
  assert.equal(fired.length, 2);
});

test("a deadline that was cleared or removed does not come", () => {
  const { deadline, fired, pass, timers } = wheel();
  const [cleared, removed] = [deadline("cleared"), deadline("removed")];
  cleared.set(300);
  removed.set(300);
  cleared.clear();
  removed.remove();
  removed.remove();
  assert.equal(timers.count, 1);
  pass(2_000);
  assert.deepEqual([fired, timers.count], [[], 0]);
});

test("a deadline further away than one round of the wheel comes in its time", () => {
  const { deadline, fired, pass } = wheel();
  deadline("far").set(400_000);
  pass(399_000);
  assert.deepEqual(fired, []);
  pass(2_000);
  assert.deepEqual(fired, ["far at 400000"]);
});

test("a process that stood still catches up", () => {
  const { deadline, fired, jump } = wheel();
  for (const [name, ms] of [
    ["a", 500],
    ["b", 60_000],
    ["c", 300_000],
  ] as const)
    deadline(name).set(ms);
  jump(250_000);
  assert.deepEqual(fired, ["a at 250000", "b at 250000"]);
  for (let index = 0; index < 10; index += 1) jump(20_000);
  assert.equal(fired.length, 3);
});

test("a process that stood still is not caught by the one deadline that is due a whole round after its slot", () => {
  const { deadline, fired, jump } = wheel();
  const rounds = 1024 * TICK_MS;
  deadline("far").set(2 * rounds - TICK_MS);
  jump(rounds + 40_000);
  assert.deepEqual(fired, []);
  jump(rounds);
  assert.deepEqual(fired, [`far at ${2 * rounds + 40_000}`]);
});

test("who is told may set it again", () => {
  const { timers, fired, pass } = wheel();
  let rounds = 0;
  const deadline: Deadline = new Deadline(
    {
      onDeadline: () => {
        rounds += 1;
        fired.push(`round ${rounds}`);
        if (rounds < 3) deadline.set(200);
      },
    },
    timers,
  );
  deadline.set(200);
  pass(2_000);
  assert.deepEqual(fired, ["round 1", "round 2", "round 3"]);
});

test("whatever is set and cleared, each comes when it should", () => {
  const step = fc.record({
    which: fc.nat(4),
    ms: fc.integer({ min: 0, max: 200_000 }),
    pass: fc.nat(3_000),
    clear: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let nowMs = 5_000;
      const timers = new Timers(() => nowMs);
      const dueMs = [0, 0, 0, 0, 0].map(() => Number.POSITIVE_INFINITY);
      const deadlines = dueMs.map((_, which) => {
        const onDeadline = () => {
          assert.ok(nowMs >= (dueMs[which] as number), "not early");
          dueMs[which] = Number.POSITIVE_INFINITY;
        };
        return new Deadline({ onDeadline }, timers);
      });
      for (const { which, ms, pass, clear } of steps) {
        dueMs[which] = clear ? Number.POSITIVE_INFINITY : nowMs + ms;
        if (clear) deadlines[which]?.clear();
        else deadlines[which]?.set(ms);
        nowMs += pass;
        timers.tick();
        for (const due of dueMs) assert.ok(due > nowMs - 2 * TICK_MS, "not late");
      }
      for (const deadline of deadlines) deadline.remove();
      nowMs += TICK_MS;
      timers.tick();
      assert.equal(timers.count, 0);
    }),
    { numRuns: 300 },
  );
});
