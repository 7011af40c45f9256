// Where a member listens: its own number first, then round the range, each port tried by listening on it; and what it says
// when there is no port for it.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { readSettings, type Settings } from "../../services/runtime/config.ts";
import { exitCode, StartupFailure } from "../../services/runtime/exit.ts";
import {
  adminPorts,
  assertFree,
  goRound,
  listen,
  ownNumber,
  type PortPlan,
  trafficPorts,
} from "../../services/runtime/ports.ts";
import { freePort, HOST, takenPort, takenRange } from "../tools/ports.ts";

function settingsOf(environment: Record<string, string>): Settings {
  const result = readSettings(environment);
  assert.ok(result.ok);
  return result.settings;
}

function listenOn(t: TestContext, plan: PortPlan, host = HOST): Promise<number> {
  const server = createServer();
  t.after(() => server.close());
  return listen(server, host, plan);
}

function failsWith(code: number, ...words: readonly string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof StartupFailure, String(error));
    assert.equal(error.exitCode, code);
    for (const word of words) assert.ok(error.message.includes(word), `${word} in: ${error.message}`);
    assert.ok(!error.message.includes("\n"));
    return true;
  };
}

const starts: readonly [string, number][] = [
  ["server-4", 4],
  ["server-100", 100],
  ["a1b22", 22],
  ["web-007", 7],
  ["server", 1],
  ["server-0", 1],
  ["4-server", 1],
];

for (const [id, number] of starts) {
  test(`the own number of ${id} is ${number}`, () => assert.equal(ownNumber(id), number));
}

test("a port that a setting gives to the balancer or the watchdog is left out of the ranges", () => {
  const given = { BALANCER_PORT: "8081", WATCHDOG_PORT: "9102" };
  assert.equal(trafficPorts(settingsOf({ ROLE: "proxy", ID: "proxy-1", ...given })).candidates[0], 8082);
  assert.ok(!adminPorts(settingsOf({ ROLE: "server", ID: "server-1", ...given })).candidates.includes(9102));
  assert.deepEqual(trafficPorts(settingsOf({ ROLE: "balancer", ...given })).candidates, [8081]);
});

test("the round begins at the member's own number and comes back to the ports before it", () => {
  assert.deepEqual(goRound({ first: 9001, last: 9006 }, 4), [9004, 9005, 9006, 9001, 9002, 9003]);
  assert.deepEqual(goRound({ first: 9001, last: 9003 }, 7), [9001, 9002, 9003]);
  assert.deepEqual(goRound({ first: 80, last: 80 }, 5), [80]);
});

test("the round holds every port of the range exactly once, whatever the number", () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 65_000 }), fc.integer({ min: 0, max: 200 }));
  fc.assert(
    fc.property(range, fc.integer({ min: 1, max: 999_999_999 }), ([first, more], number) => {
      const round = goRound({ first, last: first + more }, number);
      assert.deepEqual(
        [...round].sort((a, b) => a - b),
        Array.from({ length: more + 1 }, (_, index) => first + index),
      );
    }),
  );
});

test("server 4 begins at 9004 and 9104, proxy 2 at 8082, and each can have 100 ports", () => {
  const server = settingsOf({ ROLE: "server", ID: "server-4" });
  assert.deepEqual(trafficPorts(server).candidates.slice(0, 2), [9004, 9005]);
  assert.deepEqual(trafficPorts(server).candidates.slice(-2), [9002, 9003]);
  assert.deepEqual(adminPorts(server).candidates[0], 9104);
  const proxy = trafficPorts(settingsOf({ ROLE: "proxy", ID: "proxy-2" }));
  assert.equal(proxy.candidates[0], 8082);
  assert.equal(proxy.candidates.length, 100);
});

test("PORT and ADMIN_PORT fix a port; a balancer has one of its own", () => {
  const fixed = settingsOf({ ROLE: "server", ID: "server-4", PORT: "7000", ADMIN_PORT: "7001" });
  assert.deepEqual(trafficPorts(fixed), { candidates: [7000], setting: "PORT" });
  assert.deepEqual(adminPorts(fixed), { candidates: [7001], setting: "ADMIN_PORT" });
  assert.deepEqual(trafficPorts(settingsOf({ ROLE: "balancer" })).candidates, [8080]);
});

test("a member whose port is taken listens on the next one", async (t) => {
  const free = await freePort();
  const candidates = [await takenPort(t), await takenPort(t), free, await takenPort(t)];
  assert.equal(await listenOn(t, { candidates, setting: "PORT_RANGE" }), free);
});

test("members that look at one range at the same time get a port each", async (t) => {
  const first = await takenRange(t, 1);
  const plan = {
    candidates: goRound({ first, last: Math.min(65_535, first + 40) }, 1),
    setting: "PORT_RANGE",
  } as const;
  const ports = await Promise.all(Array.from({ length: 8 }, () => listenOn(t, plan)));
  assert.equal(new Set([first, ...ports]).size, 9);
});

test("a full range ends the start, names its setting and can be told apart by its code", async (t) => {
  const first = await takenRange(t, 3);
  const range = `${first}-${first + 2}`;
  const settings = settingsOf({ ROLE: "server", ID: "server-2", PORT_RANGE: range, ADMIN_PORT_RANGE: range });
  await assert.rejects(
    listenOn(t, trafficPorts(settings)),
    failsWith(exitCode.portsExhausted, range, HOST, "set PORT_RANGE to a range"),
  );
  await assert.rejects(
    listenOn(t, adminPorts(settings)),
    failsWith(exitCode.portsExhausted, range, HOST, "set ADMIN_PORT_RANGE to a range"),
  );
});

test("a range of one taken port is a full range too", async (t) => {
  const only = await takenPort(t);
  const settings = settingsOf({ ROLE: "server", PORT_RANGE: `${only}-${only}` });
  await assert.rejects(
    listenOn(t, trafficPorts(settings)),
    failsWith(exitCode.portsExhausted, `${only}`, "set PORT_RANGE to a range"),
  );
});

test("a fixed port that is taken ends the start and names its setting", async (t) => {
  const taken = await takenPort(t);
  const settings = settingsOf({ ROLE: "balancer", BALANCER_PORT: `${taken}`, ADMIN_PORT: `${taken}` });
  const named = (setting: string) => failsWith(exitCode.portTaken, `port ${taken}`, `set ${setting} to a free port`);
  await assert.rejects(listenOn(t, trafficPorts(settings)), named("BALANCER_PORT"));
  await assert.rejects(listenOn(t, adminPorts(settings)), named("ADMIN_PORT"));
  await assert.rejects(assertFree(HOST, trafficPorts(settings)), named("BALANCER_PORT"));
});

test("a port found free is free again after the look", async (t) => {
  const plan = { candidates: [await freePort()], setting: "PORT" } as const;
  await assertFree(HOST, plan);
  assert.equal(await listenOn(t, plan), plan.candidates[0]);
});

test("an address that is not this machine's ends the start and names HOST", async (t) => {
  const plan = { candidates: [0], setting: "PORT" } as const;
  await assert.rejects(listenOn(t, plan, "192.0.2.1"), failsWith(exitCode.portTaken, "192.0.2.1", "set HOST"));
});
