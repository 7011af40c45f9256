// The table of failures: which error is which failure, what the client is told of it, whose fault it is, and which
// requests may be tried again after it.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ATTEMPTS_MAX,
  type BreakFacts,
  brokeOverIt,
  type Failure,
  failureOf,
  failures,
  mayRetry,
} from "../../services/tier/rules/failures.ts";

const names: readonly [string | undefined, sent: boolean, Failure][] = [
  ["ECONNREFUSED", false, "refused"],
  ["EHOSTUNREACH", false, "refused"],
  ["ENETUNREACH", false, "refused"],
  ["EHOSTDOWN", false, "refused"],
  ["ENOTFOUND", false, "refused"],
  ["EAI_AGAIN", false, "refused"],
  ["ECONNRESET", false, "refused"],
  ["EPIPE", false, "refused"],
  [undefined, false, "refused"],
  ["EADDRNOTAVAIL", false, "no-socket"],
  ["EMFILE", false, "no-socket"],
  ["ENFILE", false, "no-socket"],
  ["ETIMEDOUT", false, "connect-timeout"],
  ["ECONNRESET", true, "reset"],
  ["EPIPE", true, "reset"],
  ["ETIMEDOUT", true, "response-timeout"],
  ["HPE_INVALID_CONSTANT", true, "malformed"],
  [undefined, true, "malformed"],
];

for (const [code, sent, failure] of names) {
  const moment = sent ? "once sent" : "before anything was sent";
  test(`${code ?? "an error without a code"} ${moment} is ${failure}`, () =>
    assert.equal(failureOf(code, sent), failure));
}

const statuses: Record<Failure, number> = {
  "no-member": 503,
  "no-route": 404,
  overloaded: 503,
  "no-member-behind": 503,
  refused: 502,
  "no-socket": 503,
  "connect-timeout": 504,
  reset: 502,
  "member-down": 502,
  "response-timeout": 504,
  malformed: 502,
  truncated: 502,
  "body-too-large": 413,
  "client-error": 400,
  "client-left": 499,
};

test("every failure has the status that the RFC and the trade have for it", () => {
  const table = Object.entries(failures).map(([failure, { status }]) => [failure, status]);
  assert.deepEqual(Object.fromEntries(table), statuses);
});

const all = Object.keys(failures) as Failure[];
const idempotent = [
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
  "PROPFIND",
  "REPORT",
  "SEARCH",
  "MKCOL",
  "MOVE",
];
const methods = [...idempotent, "POST", "PATCH", "LOCK", "CONNECT", "UNHEARD-OF"];
const once = { attempts: 1, broke: 1, brokeMax: 1 };
const retried = (facts: { method: string; replayable?: boolean; attempts?: number }) =>
  all.filter((failure) => mayRetry(failure, { ...once, replayable: true, ...facts }));

test("a request that was certainly not executed is tried again whatever its method", () => {
  for (const method of ["POST", "PATCH", "LOCK"]) {
    assert.deepEqual(retried({ method }), ["no-member-behind", "refused", "no-socket", "connect-timeout"]);
  }
});

test("a request that may have been executed is tried again only where its method is idempotent", () => {
  const again = methods.filter((method) => mayRetry("reset", { ...once, method, replayable: true }));
  assert.deepEqual(again, idempotent);
});

test("method names are case-sensitive: `get` is some other method", () => {
  assert.equal(mayRetry("reset", { ...once, method: "get", replayable: true }), false);
});

test("nothing is tried again after a slow, broken or unread answer, or when the client has left", () => {
  for (const method of methods) {
    const again = retried({ method });
    const never: Failure[] = [
      "response-timeout",
      "malformed",
      "truncated",
      "client-error",
      "body-too-large",
      "client-left",
    ];
    assert.deepEqual(
      again.filter((failure) => never.includes(failure)),
      [],
      method,
    );
  }
});

test("a body that is no longer kept is not sent again, whatever the failure", () => {
  for (const method of methods) assert.deepEqual(retried({ method, replayable: false }), []);
});

test("a request over which members broke is sent once more, as often as is set, whatever its method", () => {
  for (const [broke, brokeMax, again] of [
    [1, 0, false],
    [1, 1, true],
    [2, 1, false],
    [2, 2, true],
  ] as const) {
    const facts = { attempts: 2, replayable: true, broke, brokeMax };
    assert.equal(mayRetry("reset", { ...facts, method: "GET" }), again);
    assert.equal(mayRetry("refused", { ...facts, method: "POST" }), again);
  }
});

const attempt = { behind: undefined, role: "server", lastedMs: 9, fresh: false, anew: false };
const brokeBy = (word: string, facts: Partial<BreakFacts>) =>
  all.filter((failure) => brokeOverIt({ failure, ...attempt, ...facts }) === word);

test("a member broke over a request where it took a while to die or hung, or had a connection for it alone", () => {
  for (const facts of [{ lastedMs: 10 }, { fresh: true }, { lastedMs: 10, role: "proxy" }])
    assert.deepEqual(brokeBy("surely", facts), ["reset", "member-down"]);
  assert.deepEqual(brokeBy("surely", {}), []);
});

test("where its connection had been idle it perhaps broke over it, and over a link that others shared it did not", () => {
  assert.deepEqual(brokeBy("perhaps", {}), ["reset", "member-down"]);
  assert.deepEqual(brokeBy("no", { role: "proxy" }), all);
});

test("what broke behind a proxy that has nobody left perhaps broke over it, and again surely", () => {
  const behind = { role: "proxy", behind: "reset" };
  assert.deepEqual(brokeBy("perhaps", behind), ["no-member-behind"]);
  assert.deepEqual(brokeBy("surely", { ...behind, anew: true }), ["no-member-behind"]);
  assert.deepEqual(brokeBy("no", { ...behind, behind: "refused", anew: true }), all);
});

test("after three attempts there is no fourth", () => {
  assert.equal(ATTEMPTS_MAX, 3);
  assert.notDeepEqual(retried({ method: "GET", attempts: 2 }), []);
  for (const attempts of [3, 4]) assert.deepEqual(retried({ method: "GET", attempts }), []);
});

test("a failure speaks against the member where its connection failed, or, if it comes in a row, where it was slow", () => {
  const blamed = (whom: string) => all.filter((failure) => failures[failure].blame === whom);
  assert.deepEqual(blamed("member"), ["refused", "connect-timeout", "reset"]);
  assert.deepEqual(blamed("slow"), ["response-timeout", "malformed"]);
  assert.deepEqual(blamed("client"), ["body-too-large", "client-error", "client-left"]);
});
