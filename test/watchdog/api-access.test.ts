// Who may ask the watchdog's API what: a table of who asks how, for reading and for orders.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type ApiRequest, whyNoAnswer, whyNoLog, whyNoOrder } from "../../watchdog/api/access.ts";

/** A command line on the watchdog's own host. */
const here: ApiRequest = {
  peer: "127.0.0.1",
  host: "127.0.0.1:8404",
  origin: undefined,
  contentType: "application/json",
  forwarded: false,
  hasToken: false,
  ownName: "watchdog-2",
};
const elsewhere: ApiRequest = { ...here, peer: "172.18.0.1", host: "watchdog:8404" };

const names: readonly [string | undefined, "may" | "may not"][] = [
  ["localhost", "may"],
  ["LocalHost:8404", "may"],
  ["watchdog:8404", "may"],
  ["watchdog-2:8404", "may"],
  ["Watchdog-2", "may"],
  ["watchdog-3:8404", "may not"],
  ["127.0.0.1:8404", "may"],
  ["[::1]:8404", "may"],
  ["[::1]", "may"],
  ["192.168.1.7:9000", "may"],
  [undefined, "may not"],
  ["", "may not"],
  ["rebound.example:8404", "may not"],
  ["127.0.0.1.example:8404", "may not"],
  ["localhost.example", "may not"],
  ["watchdog.example", "may not"],
  ["1.2.3.4.example", "may not"],
  ["[::1].example", "may not"],
  ["localhost:8404:8404", "may not"],
];

for (const [host, verdict] of names) {
  test(`who asks for ${JSON.stringify(host)} ${verdict} read, here and elsewhere, and with the token always may`, () => {
    for (const asked of [here, elsewhere]) {
      const refusal = whyNoAnswer({ ...asked, host });
      assert.equal(refusal === undefined, verdict === "may", refusal);
      assert.equal(whyNoAnswer({ ...asked, host, hasToken: true }), undefined);
    }
  });
}

const peers: readonly [string, ApiRequest, RegExp | undefined][] = [
  ["127.0.0.1", here, undefined],
  ["another loopback address", { ...here, peer: "127.8.9.1" }, undefined],
  ["::1", { ...here, peer: "::1" }, undefined],
  ["a mapped loopback address", { ...here, peer: "::ffff:127.0.0.1" }, undefined],
  ["127.0.0.1 for somebody else, through a proxy", { ...here, forwarded: true }, /own host.*API_TOKEN/],
  ["a connection that has gone", { ...here, peer: undefined }, /own host.*API_TOKEN/],
  ["another host", elsewhere, /own host.*API_TOKEN/],
  ["an address that begins like loopback", { ...elsewhere, peer: "::ffff:12.7.0.1" }, /own host/],
  ["another host with the token", { ...elsewhere, hasToken: true }, undefined],
  ["a proxy's client with the token", { ...here, forwarded: true, hasToken: true }, undefined],
  ["a web page", { ...here, origin: "http://127.0.0.1:8404" }, /web pages/],
  ["a page of no site", { ...here, origin: "null" }, /web pages/],
  ["a web page with the token", { ...elsewhere, hasToken: true, origin: "http://a.example" }, /web pages/],
  [
    "another host's page by our name",
    { ...elsewhere, hasToken: true, origin: "http://watchdog.example:8404" },
    /web pages/,
  ],
  ["our own page on another port", { ...elsewhere, hasToken: true, origin: "http://watchdog:8405" }, /web pages/],
  ["a page of no site with the token", { ...elsewhere, hasToken: true, origin: "null" }, /web pages/],
  ["no Host, and a page with the token", { ...here, hasToken: true, host: undefined, origin: "http://" }, /web pages/],
  ["the status page without the token", { ...here, origin: "http://127.0.0.1:8404" }, /web pages/],
  ["the status page with the token", { ...elsewhere, hasToken: true, origin: "http://watchdog:8404" }, undefined],
  [
    "the status page behind TLS with the token",
    { ...elsewhere, hasToken: true, origin: "https://Watchdog:8404" },
    undefined,
  ],
  [
    "the status page with the token, as a form",
    { ...elsewhere, hasToken: true, origin: "http://watchdog:8404", contentType: "text/plain" },
    /Content-Type/,
  ],
  ["127.0.0.1 with a charset", { ...here, contentType: "Application/JSON; charset=utf-8" }, undefined],
  ["a form", { ...here, contentType: "application/x-www-form-urlencoded" }, /Content-Type: application\/json/],
  ["a form that says text", { ...here, contentType: "text/plain; x=application/json" }, /Content-Type/],
  ["something that only begins so", { ...here, contentType: "application/json-patch+json" }, /Content-Type/],
  ["something without a Content-Type", { ...here, contentType: undefined }, /Content-Type/],
];

for (const [who, asked, refusal] of peers) {
  test(`orders of ${who} are ${refusal === undefined ? "taken" : "refused, with how to do it"}`, () => {
    const given = whyNoOrder(asked);
    if (refusal === undefined) assert.equal(given, undefined);
    else assert.match(given ?? "", refusal);
    assert.ok(!given?.includes("\n"));
  });
}

const readers: readonly [string, ApiRequest, "may" | "may not"][] = [
  ["127.0.0.1", here, "may"],
  ["127.0.0.1 for somebody else, through a proxy", { ...here, forwarded: true }, "may not"],
  ["another host", elsewhere, "may not"],
  ["another host with the token", { ...elsewhere, hasToken: true }, "may"],
];

for (const [who, asked, verdict] of readers) {
  test(`${who} ${verdict} read what members wrote`, () => {
    assert.equal(whyNoLog(asked) === undefined, verdict === "may");
  });
}
