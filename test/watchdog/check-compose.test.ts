// What `watchdogctl check` says of a Compose file: the mistakes that people make, each in a line that names the service and the fix.

import assert from "node:assert/strict";
import { test } from "node:test";
import { composeFindings } from "../../watchdog/ctl/doctor/findings-compose.ts";

type Service = Readonly<Record<string, unknown>>;

const good: Readonly<Record<string, Service>> = {
  app: { labels: { "evenkeel.port": "3000" }, deploy: { replicas: 3 } },
  db: { image: "postgres" },
  balancer: {
    labels: { "evenkeel.role": "balancer" },
    environment: { ID: "balancer" },
    ports: [{ target: 8080, published: "8080" }],
  },
  proxy: { labels: { "evenkeel.role": "proxy" }, deploy: { replicas: 2 } },
  watchdog: {
    labels: { "evenkeel.role": "watchdog" },
    environment: { ID: "watchdog" },
    depends_on: { app: {}, balancer: {}, proxy: {} },
  },
};

const problemsOf = (services: Readonly<Record<string, Service>>) =>
  (composeFindings({ services }) ?? []).flatMap((finding) => (finding.level === "ok" ? [] : [finding]));
const withApp = (app: Service) => problemsOf({ ...good, app: { ...good.app, ...app } });

test("of a file that is well, everything is well", () => assert.deepEqual(problemsOf(good), []));

const mistakes: readonly [what: string, readonly ReturnType<typeof problemsOf>[number][], RegExp, RegExp][] = [
  [
    "two networks",
    problemsOf({
      ...good,
      app: { ...good.app, networks: { back: null } },
      proxy: { ...good.proxy, networks: { front: null } },
    }),
    /^app: is on back; proxy is on front$/,
    /put both on one network/,
  ],
  [
    "a network that it is not on",
    withApp({ labels: { "evenkeel.port": "3000", "evenkeel.network": "front" } }),
    /^app: it is not on front/,
    /mend/,
  ],
  [
    "no port anywhere",
    withApp({ labels: { "evenkeel.role": "server" } }),
    /^app: the file does not say where it listens$/,
    /set evenkeel\.port/,
  ],
  [
    "several ports",
    withApp({ labels: { "evenkeel.role": "server" }, expose: ["3000", "9229"] }),
    /^app: 3000, 9229 are exposed; say which: evenkeel\.port: "3000"$/,
    /mend/,
  ],
  [
    "the host's port for the container's",
    withApp({ labels: { "evenkeel.port": "3339" }, ports: [{ target: 3000, published: "3339" }] }),
    /^app: 3339 is published on the host; inside of the container it is 3000/,
    /mend/,
  ],
  [
    "a published port",
    withApp({ ports: [{ target: 3000, published: "3000" }] }),
    /^app: what it publishes goes past the balancer$/,
    /take ports away/,
  ],
  [
    "a typo",
    withApp({ labels: { "evenkeel.prot": "3000" } }),
    /^app: unknown label evenkeel\.prot; did you mean evenkeel\.port\?$/,
    /mend/,
  ],
  [
    "labels under deploy",
    withApp({ deploy: { labels: { "evenkeel.weight": "2" } } }),
    /^app: evenkeel\.weight under deploy\.labels says nothing/,
    /move it to labels/,
  ],
  ["the host's network", withApp({ network_mode: "host" }), /^app: network_mode is host/, /take network_mode away/],
  [
    "a time without a unit",
    withApp({ labels: { "evenkeel.port": "80", "evenkeel.start": "90" } }),
    /^app: evenkeel\.start "90" has no unit; write 90s$/,
    /mend/,
  ],
  [
    "a group without a proxy",
    withApp({ labels: { "evenkeel.port": "80", "evenkeel.group": "9" } }),
    /^app: group "9" has no proxy \(there are 2\)$/,
    /evenkeel\.group/,
  ],
  [
    "two pools",
    problemsOf({
      ...good,
      api: { labels: { "evenkeel.port": "80" } },
      watchdog: { ...good.watchdog, depends_on: { api: {}, app: {}, balancer: {}, proxy: {} } },
    }),
    /^api and app would both take all requests, and app was there first$/,
    /evenkeel\.pool: "app"/,
  ],
  [
    "two members of one name",
    problemsOf({
      ...good,
      "app-1": { labels: { "evenkeel.role": "server", "evenkeel.reports": "yes" }, environment: { ID: "app-1" } },
      watchdog: { ...good.watchdog, depends_on: { "app-1": {}, app: {}, balancer: {}, proxy: {} } },
    }),
    /^app-1 would be a member of app and of app-1$/,
    /rename/,
  ],
  [
    "a watchdog that stops last",
    problemsOf({ ...good, watchdog: { labels: { "evenkeel.role": "watchdog" }, environment: { ID: "watchdog" } } }),
    /may stop app, balancer, proxy before it/,
    /depends_on: \[app, balancer, proxy\]/,
  ],
  [
    "no watchdog",
    problemsOf({ app: good.app as Service }),
    /^no service is the watchdog$/,
    /extend it from evenkeel\.yaml/,
  ],
];

for (const [what, problems, said, fix] of mistakes) {
  test(`of ${what}, check says one thing and what to do`, () => {
    assert.deepEqual(problems.length, 1, JSON.stringify(problems));
    assert.match(problems[0]?.what ?? "", said);
    assert.match(problems[0]?.fix ?? "", fix);
  });
}

test("what is no Compose file is told from one", () => {
  for (const document of [undefined, null, [], {}, { services: [] }, { services: { app: 7 } }]) {
    assert.equal(composeFindings(document), undefined);
  }
});
