// The API under /api through supertest: incidents, orders, who may give them, and what is said when something is wrong.

import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import supertest from "supertest";
import { incidentDocumentSchema } from "../../watchdog/api/schema.ts";
import { ask } from "../tools/http/ask.ts";
import { apiApp, DETECTED_MS, incident, incidentsView, recordedControls, startApi } from "../tools/watchdog/api.ts";

const TOKEN = "0123456789abcdef";
const JSON_TYPE = "application/json";
const kept = incidentsView(incident(7), incident(9, { slot: "proxy-1", role: "proxy" }), incident(8));

const numbersAt = async (path: string) => {
  const { body } = await supertest(apiApp({ incidents: kept }))
    .get(path)
    .expect(200);
  return body.incidents.map(({ number }: { number: number }) => number);
};

test("/api/incidents lists newest first", async () => {
  assert.deepEqual(await numbersAt("/api/incidents"), [9, 8, 7]);
});

test("/api/incidents takes one slot's, and as many as asked for", async () => {
  assert.deepEqual(await numbersAt("/api/incidents?slot=server-4"), [8, 7]);
  assert.deepEqual(await numbersAt("/api/incidents?limit=2"), [9, 8]);
  assert.deepEqual(await numbersAt("/api/incidents?slot=server-4&limit=1"), [8]);
  assert.deepEqual(await numbersAt("/api/incidents?slot=server-99"), []);
});

test("/api/incidents leaves out the log and nothing else", async () => {
  const { body } = await supertest(apiApp({ incidents: kept })).get("/api/incidents?limit=1");
  const { log: _, ...rest } = incident(9, { slot: "proxy-1", role: "proxy" });
  assert.deepEqual(body.incidents, [rest]);
});

for (const [query, error] of [
  ["limit=0", "limit is a whole number from 1"],
  ["limit=-1", "limit is a whole number from 1"],
  ["limit=many", "limit is a whole number from 1"],
  ["limit=1&limit=2", "limit is given once"],
  ["slot=a&slot=b", "slot is given once"],
] as const) {
  test(`/api/incidents?${query} is answered with 400 and what it should be`, async () => {
    await supertest(apiApp({ incidents: kept }))
      .get(`/api/incidents?${query}`)
      .expect(400, { error });
  });
}

test("/api/incidents/7 is all of that incident, its log too", async () => {
  const { body } = await supertest(apiApp({ incidents: kept }))
    .get("/api/incidents/7")
    .expect(200);
  assert.deepEqual(body, incident(7));
  assert.equal(body.times.detectedMs, DETECTED_MS);
});

for (const number of ["6", "0", "-7", "7.0", "0x7", "seven", "9999999999999999999"]) {
  test(`/api/incidents/${number} is answered with 404 in one JSON line`, async () => {
    const reply = await supertest(apiApp({ incidents: kept }))
      .get(`/api/incidents/${number}`)
      .expect(404);
    assert.match(reply.body.error, new RegExp(`^there is no incident ${number.replace(".", "\\.")}: `));
    assert.ok(!reply.text.includes("\n"));
  });
}

for (const order of ["hold", "release", "heal"]) {
  test(`an order to ${order} a slot is passed on and confirmed, whatever its body`, async () => {
    const { controls, orders } = recordedControls();
    const app = supertest(apiApp({ controls }));
    await app.post(`/api/slots/server-3/${order}`).type(JSON_TYPE).expect(200, { slot: "server-3", order });
    await app.post(`/api/slots/server-3/${order}`).type(JSON_TYPE).send("{ no JSON").expect(200);
    assert.deepEqual(orders, [`${order} server-3`, `${order} server-3`]);
  });
}

test("a weight is passed on and confirmed, and null is what the label says", async () => {
  const { controls, orders } = recordedControls();
  const app = supertest(apiApp({ controls }));
  await app.post("/api/slots/app-3/weight").send({ weight: 0 }).expect(200, { slot: "app-3", weight: 0 });
  await app.post("/api/slots/app-3/weight").send({ weight: null }).expect(200, { slot: "app-3", weight: null });
  assert.deepEqual(orders, ["weigh 0 app-3", "weigh undefined app-3"]);
});

for (const body of [
  "",
  "{}",
  "[]",
  '{"weight":-1}',
  '{"weight":257}',
  '{"weight":1.5}',
  '{"weight":"1"}',
  '{"weight":',
]) {
  test(`a weight ordered as ${body || "nothing"} is refused with 400 in one line, and is not passed on`, async () => {
    const { controls, orders } = recordedControls();
    const posted = supertest(apiApp({ controls })).post("/api/slots/app-3/weight").type(JSON_TYPE).send(body);
    const { body: answer } = await posted.expect(400);
    assert.match(answer.error, /^[^\n]+$/);
    assert.deepEqual(orders, []);
  });
}

test("a scale is passed on and confirmed with 202, and shown where it was ordered", async () => {
  const orders: string[] = [];
  const order = (service: string, replicas: number) => {
    orders.push(`${service}=${replicas}`);
    return { ok: true } as const;
  };
  const app = supertest(apiApp({ scales: { order, rows: () => [] } }));
  await app.post("/api/scales/app").send({ replicas: 8 }).expect(202, { service: "app", replicas: 8 });
  await app.get("/api/scales").expect(200, { scales: [] });
  for (const replicas of [0, 65, 1.5, "8", null]) {
    const { body } = await app.post("/api/scales/app").send({ replicas }).expect(400);
    assert.deepEqual(body, { error: 'send {"replicas": 8}, a whole number from 1 to 64' });
  }
  await app.post("/api/scales/app").send({ replicas: 8 }).set("Origin", "http://127.0.0.1:8404").expect(403);
  assert.deepEqual(orders, ["app=8"]);
});

test("a roll is passed on with where it goes, which is a sample unless it is said", async () => {
  const orders: string[] = [];
  const order = async (service: string, to: string) => {
    orders.push(`${service} to ${to}`);
    return { ok: true } as const;
  };
  const app = supertest(apiApp({ rolls: { order, rows: () => [] } }));
  await app.post("/api/rolls/app").type(JSON_TYPE).expect(202, { service: "app", to: "sample" });
  await app.post("/api/rolls/app").send({ to: "former" }).expect(202, { service: "app", to: "former" });
  for (const body of [{ to: "before" }, { to: null }, []]) {
    const { body: answer } = await app.post("/api/rolls/app").send(body).expect(400);
    assert.match(answer.error, /^send \{"to": "former"\}, or one of sample, former, image/);
  }
  assert.deepEqual(orders, ["app to sample", "app to former"]);
});

test("a body past the bound is refused with 413", async () => {
  const posted = supertest(apiApp()).post("/api/slots/app-3/weight").type(JSON_TYPE);
  await posted.send(`{"weight":${" ".repeat(2_000)}1}`).expect(413);
});

for (const order of ["pause", "resume"]) {
  test(`an order to ${order} a service is passed on and confirmed, and for those alone who may give orders`, async () => {
    const { controls, orders } = recordedControls();
    const app = supertest(apiApp({ controls }));
    await app.post(`/api/services/app/${order}`).type(JSON_TYPE).expect(200, { service: "app", order });
    await app.post(`/api/services/app/${order}`).type(JSON_TYPE).set("X-Forwarded-For", "203.0.113.7").expect(403);
    await app.get(`/api/services/app/${order}`).expect(405).expect("Allow", "POST");
    assert.deepEqual(orders, [`${order} app`]);
  });
}

test("a slot's name is passed on as it is meant", async () => {
  const { controls, orders } = recordedControls();
  await supertest(apiApp({ controls })).post("/api/slots/my%20server%2F1/hold").type(JSON_TYPE).expect(200);
  assert.deepEqual(orders, ["hold my server/1"]);
});

for (const status of [404, 409] as const) {
  test(`an order that is refused with ${status} is answered so, with the reason`, async () => {
    const { controls } = recordedControls({ ok: false, status, reason: "because" });
    await supertest(apiApp({ controls }))
      .post("/api/slots/server-3/heal")
      .type(JSON_TYPE)
      .expect(status, { error: "because" });
  });
}

const refusals: readonly [string, Readonly<Record<string, string>>][] = [
  ["a web page", { Origin: "http://127.0.0.1:8404" }],
  ["a form", { "Content-Type": "text/plain" }],
  ["a rebound name", { Host: "rebound.example:8404" }],
  ["a proxy's client", { "X-Forwarded-For": "203.0.113.7" }],
  ["a proxy's client, told the standard way", { Forwarded: "for=203.0.113.7" }],
  ["a proxy's client with a wrong token", { Forwarded: "for=203.0.113.7", Authorization: `Bearer ${TOKEN}0` }],
  ["a proxy's client with no token", { Forwarded: "for=203.0.113.7", Authorization: "Bearer" }],
];

for (const [who, headers] of refusals) {
  test(`an order of ${who} is refused with 403 and is not passed on`, async () => {
    const { controls, orders } = recordedControls();
    const { body } = await supertest(apiApp({ controls, token: TOKEN }))
      .post("/api/slots/server-3/hold")
      .set({ "Content-Type": JSON_TYPE, ...headers })
      .expect(403);
    assert.deepEqual(Object.keys(body), ["error"]);
    assert.deepEqual(orders, []);
  });
}

test("with no API_TOKEN set, no token is right", async () => {
  for (const Authorization of ["Bearer undefined", "Bearer ", ""]) {
    await supertest(apiApp())
      .post("/api/slots/server-3/hold")
      .set({ "Content-Type": JSON_TYPE, "X-Forwarded-For": "203.0.113.7", Authorization })
      .expect(403);
  }
});

test("no path is read by a rebound name, not even with 404", async () => {
  for (const path of [
    "/",
    "/metrics",
    "/sd/targets",
    "/readyz",
    "/healthz",
    "/nothing",
    "/api/state",
    "/api/incidents",
    "/api/incidents/7",
    "/api/nothing",
  ]) {
    await supertest(apiApp()).get(path).set("Host", "rebound.example").expect(403);
  }
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;

test("from another address orders need the token, and reading does not", {
  skip: outside === undefined && "this machine has no address but loopback",
}, async (t) => {
  const { controls, orders } = recordedControls();
  const port = await startApi(t, { controls, token: TOKEN, incidents: kept }, "0.0.0.0");
  const order = (headers = {}) =>
    fetch(`http://${outside}:${port}/api/slots/server-3/hold`, {
      method: "POST",
      headers: { "Content-Type": JSON_TYPE, ...headers },
    });
  assert.equal((await fetch(`http://${outside}:${port}/api/incidents`)).status, 200);
  const refused = await order();
  assert.equal(refused.status, 403);
  assert.match(((await refused.json()) as { error: string }).error, /watchdogctl\.js.*API_TOKEN/);
  assert.deepEqual(orders, []);
  assert.equal((await order({ Authorization: `Bearer ${TOKEN}` })).status, 200);
  assert.deepEqual(orders, ["hold server-3"]);
});

test("what members wrote is kept from another address without the token", {
  skip: outside === undefined && "this machine has no address but loopback",
}, async (t) => {
  const port = await startApi(t, { token: TOKEN, incidents: kept }, "0.0.0.0");
  const read = async (headers = {}) => {
    const reply = await fetch(`http://${outside}:${port}/api/incidents/7`, { headers });
    return incidentDocumentSchema.parse(await reply.json());
  };
  const withheld = await read();
  assert.deepEqual(withheld.log, []);
  assert.match(withheld.logWithheld ?? "", /API_TOKEN/);
  assert.deepEqual(await read({ Authorization: `Bearer ${TOKEN}` }), incident(7));
});

const misuses: readonly [string, string, string][] = [
  ["post", "/api/state", "GET, HEAD"],
  ["delete", "/api/incidents", "GET, HEAD"],
  ["put", "/api/incidents/7", "GET, HEAD"],
  ["get", "/api/slots/server-3/hold", "POST"],
  ["delete", "/api/slots/server-3/heal", "POST"],
  ["options", "/api/slots/server-3/release", "POST"],
  ["get", "/api/slots/server-3/weight", "POST"],
  ["get", "/api/scales/app", "POST"],
  ["post", "/api/scales", "GET, HEAD"],
];

for (const [method, path, allow] of misuses) {
  test(`${method.toUpperCase()} ${path} is answered with 405 and what is allowed`, async () => {
    const { body } = await supertest(apiApp())[method as "get"](path).expect(405).expect("Allow", allow);
    assert.match(body.error, new RegExp(`^${method.toUpperCase()} means nothing here`));
  });
}

test("HEAD is answered like GET", async () => {
  await supertest(apiApp()).head("/api/state").expect(200);
});

test("what is no path of the API is answered with 404 in JSON, and what cannot be decoded with 400", async (t) => {
  await supertest(apiApp()).get("/api/slots/server-3/kill").expect(404, {
    error: "the API has /api/state, /api/incidents, /api/slots, /api/services, /api/rolls and /api/scales",
  });
  const port = await startApi(t);
  const { status, body } = await ask(port, { path: "/api/incidents/%E0%A4%A" });
  assert.equal(status, 400);
  assert.match(JSON.parse(body).error, /decode/);
});
