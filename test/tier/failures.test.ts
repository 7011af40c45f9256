// The table of failures: which error is which failure, what the client is told of it, whose fault it is, and which
// requests may be tried again after it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ATTEMPTS_MAX, type Failure, failureOf, failures, mayRetry } from "../../services/tier/rules/failures.ts";

const idle = { sent: false, started: false };
const sent = { sent: true, started: false };
const started = { sent: true, started: true };

const names: readonly [string | undefined, typeof idle, Failure][] = [
  ["ECONNREFUSED", idle, "refused"],
  ["EHOSTUNREACH", idle, "refused"],
  ["ENETUNREACH", idle, "refused"],
  ["EHOSTDOWN", idle, "refused"],
  ["ENOTFOUND", idle, "refused"],
  ["EAI_AGAIN", idle, "refused"],
  ["EADDRNOTAVAIL", idle, "refused"],
  ["ECONNRESET", idle, "refused"],
  ["EPIPE", idle, "refused"],
  ["UND_ERR_SOCKET", idle, "refused"],
  ["UND_ERR_CONNECT_TIMEOUT", idle, "connect-timeout"],
  ["ETIMEDOUT", idle, "connect-timeout"],
  ["UND_ERR_INVALID_ARG", idle, "malformed"],
  [undefined, idle, "malformed"],
  ["ECONNRESET", sent, "reset"],
  ["EPIPE", sent, "reset"],
  ["UND_ERR_SOCKET", sent, "reset"],
  ["UND_ERR_HEADERS_TIMEOUT", sent, "response-timeout"],
  ["ETIMEDOUT", sent, "response-timeout"],
  ["HPE_INVALID_CONSTANT", sent, "malformed"],
  [undefined, sent, "malformed"],
  ["ECONNRESET", started, "truncated"],
  ["UND_ERR_RES_CONTENT_LENGTH_MISMATCH", started, "truncated"],
  [undefined, started, "truncated"],
  ["UND_ERR_DESTROYED", idle, "stopping"],
  ["UND_ERR_DESTROYED", sent, "stopping"],
];

for (const [code, when, failure] of names) {
  const moment = when.started ? "after the response began" : when.sent ? "once sent" : "before anything was sent";
  test(`${code ?? "an error without a code"} ${moment} is ${failure}`, () =>
    assert.equal(failureOf(code, when), failure));
}

const statuses: Record<Failure, number> = {
  "no-member": 503,
  overloaded: 503,
  "no-member-behind": 503,
  refused: 502,
  "connect-timeout": 504,
  reset: 502,
  "unasked-continue": 502,
  "member-down": 502,
  "response-timeout": 504,
  malformed: 502,
  truncated: 502,
  stopping: 503,
  "body-too-large": 413,
  "client-left": 499,
};

test("every failure has the status that the RFC and the trade have for it", () => {
  const table = Object.entries(failures).map(([failure, { status }]) => [failure, status]);
  assert.deepEqual(Object.fromEntries(table), statuses);
});

const all = Object.keys(failures) as Failure[];
const methods = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH", "PROPFIND"];
const retried = (facts: { method: string; replayable?: boolean; attempts?: number }) =>
  all.filter((failure) => mayRetry(failure, { replayable: true, attempts: 1, ...facts }));

test("a request that was certainly not executed is tried again whatever its method", () => {
  for (const method of ["POST", "PATCH", "PROPFIND"]) {
    assert.deepEqual(retried({ method }), ["no-member-behind", "refused", "connect-timeout"]);
  }
});

test("a request that may have been executed is tried again only where its method is idempotent", () => {
  const again = methods.filter((method) => mayRetry("reset", { method, replayable: true, attempts: 1 }));
  assert.deepEqual(again, ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
});

test("method names are case-sensitive: `get` is some other method", () => {
  assert.equal(mayRetry("reset", { method: "get", replayable: true, attempts: 1 }), false);
});

test("nothing is tried again after a slow, broken or unread answer, or when the client has left", () => {
  for (const method of methods) {
    const again = retried({ method });
    const never: Failure[] = [
      "response-timeout",
      "malformed",
      "truncated",
      "stopping",
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

test("after three attempts there is no fourth", () => {
  assert.equal(ATTEMPTS_MAX, 3);
  assert.notDeepEqual(retried({ method: "GET", attempts: 2 }), []);
  for (const attempts of [3, 4]) assert.deepEqual(retried({ method: "GET", attempts }), []);
});

test("a failure speaks against the member where its connection failed, or, if it comes in a row, where it was slow", () => {
  const blamed = (whom: string) => all.filter((failure) => failures[failure].blame === whom);
  assert.deepEqual(blamed("member"), ["refused", "connect-timeout", "reset"]);
  assert.deepEqual(blamed("slow"), ["response-timeout", "malformed"]);
  assert.deepEqual(blamed("client"), ["body-too-large", "client-left"]);
});
