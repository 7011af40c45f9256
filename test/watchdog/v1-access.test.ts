// Who may give which order of /api/v1 how: every order is refused for each reason, with the problem document that the OpenAPI document
// promises, and is not passed on.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import supertest from "supertest";
import { operationList } from "../../watchdog/api/v1/contract/operations.ts";
import { Contract } from "../tools/http/contract.ts";
import { apiApp, recordedControls } from "../tools/watchdog/api.ts";

const TOKEN = "a-token-of-24-characters";
const AFAR = { "X-Forwarded-For": "203.0.113.7" };
const JSON_TYPE = { "Content-Type": "application/json" };
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** The status page of a watchdog that was asked for by this name. */
const OWN_PAGE = { Host: "watchdog:8404", Origin: "http://watchdog:8404" };

let contract: Contract;

before(async () => {
  contract = new Contract((await supertest(apiApp()).get("/api/openapi.json").expect(200)).body);
});

const BODIES: Readonly<Record<string, string>> = { WeightOrder: '{"weight":1}', ScaleOrder: '{"replicas":2}' };
const fill = (path: string) =>
  `/api/v1${path.replace("{slot}", "server-4").replace("{service}", "app").replace("{number}", "1").replace("{order}", "1")}`;

const orders = operationList().flatMap(([name, { method, path, body }]) =>
  method === "post" ? [{ name, path: fill(path), body: BODIES[body ?? ""] ?? "", hasBody: body !== undefined }] : [],
);
const reads = operationList().flatMap(([, { method, path }]) => (method === "get" ? [fill(path)] : []));

function stage() {
  const { controls, orders: given } = recordedControls();
  const note = (order: string) => {
    given.push(order);
    return { ok: true } as const;
  };
  const app = apiApp({
    controls,
    token: TOKEN,
    rolls: { order: async (service, to) => note(`roll ${service} ${to}`), rows: () => [] },
    scales: { order: (service) => note(`scale ${service}`), rows: () => [] },
  });
  return { app: supertest(app), given };
}

interface Refusal {
  readonly who: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly status: number;
  readonly problem: string;
  readonly challenge?: RegExp;
}

const refusals: readonly Refusal[] = [
  {
    who: "from afar without a token",
    headers: AFAR,
    status: 401,
    problem: "no-token",
    challenge: /^Bearer realm="evenkeel"$/,
  },
  {
    who: "from afar, told the standard way",
    headers: { Forwarded: "for=203.0.113.7" },
    status: 401,
    problem: "no-token",
  },
  {
    who: "from afar with a wrong token",
    headers: { ...AFAR, ...bearer(`${TOKEN}0`) },
    ...{ status: 401, problem: "wrong-token", challenge: /error="invalid_token"$/ },
  },
  {
    who: "from here with a wrong token",
    headers: bearer("another-token-of-this-size"),
    status: 401,
    problem: "wrong-token",
  },
  { who: "with no Bearer", headers: { ...AFAR, Authorization: "Basic YTpi" }, status: 401, problem: "wrong-token" },
  { who: "for a wrong Host", headers: { Host: "rebound.example:8404" }, status: 403, problem: "wrong-host" },
  {
    who: "for a wrong Host with a wrong token",
    headers: { Host: "rebound.example", ...bearer("x") },
    status: 403,
    problem: "wrong-host",
  },
  { who: "of another site's page", headers: { Origin: "https://a.example" }, status: 403, problem: "from-a-web-page" },
  {
    who: "of another site's page with the token",
    headers: { Origin: "https://a.example", ...bearer(TOKEN) },
    ...{ status: 403, problem: "from-a-web-page" },
  },
  { who: "of the status page without the token", headers: OWN_PAGE, status: 403, problem: "from-a-web-page" },
  {
    who: "of a page of no site",
    headers: { Origin: "null", ...bearer(TOKEN) },
    status: 403,
    problem: "from-a-web-page",
  },
  {
    who: "of a form",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    ...{ status: 415, problem: "not-json" },
  },
  { who: "of a form that says text", headers: { "Content-Type": "text/plain" }, status: 415, problem: "not-json" },
  {
    who: "in another charset",
    headers: { "Content-Type": "application/json; charset=iso-8859-1" },
    ...{ body: "{}", status: 415, problem: "not-json" },
  },
  { who: "with malformed JSON", headers: {}, body: '{"weight":', status: 400, problem: "malformed-request" },
  { who: "with JSON that is a word", headers: {}, body: "null", status: 400, problem: "malformed-request" },
  {
    who: "with too much JSON",
    headers: {},
    body: `{"weight":${" ".repeat(2_000)}1}`,
    status: 413,
    problem: "body-too-large",
  },
  {
    who: "with an idempotency key that is none",
    headers: { "Idempotency-Key": "a b" },
    status: 400,
    problem: "invalid-value",
  },
  {
    who: "with an idempotency key that is too long",
    headers: { "Idempotency-Key": "k".repeat(256) },
    ...{ status: 400, problem: "invalid-value" },
  },
];

for (const { who, headers, body, status, problem, challenge } of refusals) {
  test(`every order ${who} is refused with ${status} ${problem}, and is not passed on`, async () => {
    for (const { path, body: fine } of orders) {
      const { app, given } = stage();
      const reply = await app
        .post(path)
        .set({ ...JSON_TYPE, ...headers })
        .send(body ?? fine);
      const contentType = reply.headers["content-type"] ?? "";
      contract.check({ method: "post", path, status: reply.status, contentType, body: reply.body });
      assert.deepEqual([reply.status, reply.body.type], [status, `urn:evenkeel:problem:${problem}`], path);
      assert.deepEqual([reply.body.instance, given], [path, []]);
      assert.match(reply.body.detail, /^[^\n]+$/);
      if (challenge !== undefined) assert.match(reply.headers["www-authenticate"] ?? "", challenge);
    }
  });
}

for (const { name, path, body } of orders) {
  test(`${name} is taken from here, from afar with the token, and from the status page with it`, async () => {
    for (const headers of [{}, { ...AFAR, ...bearer(TOKEN) }, bearer(TOKEN), { ...OWN_PAGE, ...bearer(TOKEN) }]) {
      const { app, given } = stage();
      const reply = await app
        .post(path)
        .set({ ...JSON_TYPE, ...headers })
        .send(body);
      assert.ok(reply.status === 200 || reply.status === 202, reply.text);
      assert.equal(given.length, 1);
    }
  });

  for (const method of ["get", "put", "delete", "patch", "options"] as const) {
    test(`${method.toUpperCase()} on ${name} is refused with 405 and what is allowed`, async () => {
      const { app, given } = stage();
      const reply = await app[method](path).expect(405).expect("Allow", "POST");
      contract.checkProblem(reply.body, reply.headers["content-type"] ?? "");
      assert.deepEqual([reply.body.type, given], ["urn:evenkeel:problem:method-not-allowed", []]);
    });
  }
}

const faulty: readonly (readonly [path: string, body: string, detail: RegExp])[] = [
  ["/slots/server-4/weight", "", /^the body\.weight: /],
  ["/slots/server-4/weight", "{}", /^the body\.weight: /],
  ["/slots/server-4/weight", '{"weight":257}', /^the body\.weight: .*256/],
  ["/slots/server-4/weight", '{"weight":"1"}', /^the body\.weight: /],
  ["/services/app/scale", "[]", /^the body: /],
  ["/services/app/scale", '{"replicas":0}', /^the body\.replicas: .*1/],
  ["/services/app/scale", '{"replicas":1.5}', /^the body\.replicas: /],
  ["/services/app/scale", '{"replicas":65}', /^the body\.replicas: .*64/],
];

for (const [path, body, detail] of faulty) {
  test(`${path} with ${body || "nothing"} is refused with 400 and what is wrong`, async () => {
    const { app, given } = stage();
    const reply = await app.post(`/api/v1${path}`).set(JSON_TYPE).send(body);
    const contentType = reply.headers["content-type"] ?? "";
    contract.check({ method: "post", path: `/api/v1${path}`, status: reply.status, contentType, body: reply.body });
    assert.deepEqual([reply.status, reply.body.type, given], [400, "urn:evenkeel:problem:invalid-value", []]);
    assert.match(reply.body.detail, detail);
  });
}

test("every read for a wrong Host is refused with its problem, and the token opens it", async () => {
  for (const path of reads) {
    const { app } = stage();
    const reply = await app.get(path).set("Host", "rebound.example");
    contract.check({
      method: "get",
      path,
      status: reply.status,
      contentType: reply.headers["content-type"] ?? "",
      body: reply.body,
    });
    assert.equal(reply.body.type, "urn:evenkeel:problem:wrong-host");
    const opened = await app.get(path).set({ Host: "rebound.example", ...bearer(TOKEN) });
    assert.notEqual(opened.status, 403);
  }
});

test("the description is for those who ask for a name of the watchdog's", async () => {
  for (const path of ["/api/openapi.json", "/api/docs"]) {
    await stage().app.get(path).set("Host", "rebound.example").expect(403);
    await stage().app.get(path).expect(200);
  }
});

test("a POST on a read is refused with 405", async () => {
  for (const path of reads) {
    const reply = await stage().app.post(path).set(JSON_TYPE).expect(405).expect("Allow", "GET, HEAD");
    contract.checkProblem(reply.body, reply.headers["content-type"] ?? "");
  }
});

test("with no API_TOKEN set no token is right from afar, and none is wrong from here", async () => {
  const app = supertest(apiApp());
  const order = () => app.post("/api/v1/slots/server-4/hold").set({ ...JSON_TYPE, ...bearer("undefined") });
  const { body } = await order().set(AFAR).expect(401);
  assert.equal(body.type, "urn:evenkeel:problem:no-token");
  await order().expect(200);
});

test("a path that cannot be decoded is a problem", async () => {
  const reply = await stage().app.get("/api/v1/incidents/%E0%A4%A").expect(400);
  contract.checkProblem(reply.body, reply.headers["content-type"] ?? "");
  assert.equal(reply.body.type, "urn:evenkeel:problem:malformed-request");
});
