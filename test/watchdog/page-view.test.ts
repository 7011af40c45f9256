// How the page is drawn: text and markup, numbers, the topology's shape, what is remembered, and the sections in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RollRow } from "../../watchdog/api/schema.ts";
import type { MemberShown, PageParts } from "../../watchdog/page/document/document.ts";
import { probesShown } from "../../watchdog/page/document/probes-shown.ts";
import { stateShown } from "../../watchdog/page/document/state-shown.ts";
import { agoShown, msShown, rateShown, shareShown } from "../../watchdog/page/view/format.ts";
import { titleOf } from "../../watchdog/page/view/header-view.ts";
import { pageView } from "../../watchdog/page/view/page-view.ts";
import { remembered, rememberedOf, sharing } from "../../watchdog/page/view/remembered.ts";
import { drawingOf, NODE } from "../../watchdog/page/view/topology.ts";
import { h, toHtml } from "../../watchdog/page/view/tree.ts";
import type { Viewed } from "../../watchdog/page/view/viewed.ts";
import type { Figures, TrafficShown } from "../../watchdog/traffic/figures.ts";
import { incident, systemFacts } from "../tools/watchdog/api.ts";
import { exited, serving, slotState } from "../tools/watchdog/slot-states.ts";
import { member, state } from "../tools/watchdog/state.ts";

const written: readonly [ReturnType<typeof h>, string][] = [
  [h("p", {}, "a", 1, " ", "b"), "<p>a1 b</p>"],
  [
    h("p", { class: "x", id: undefined, hidden: true, title: false, lang: null }, null, false, ""),
    '<p class="x" hidden=""></p>',
  ],
  [h("p", { title: `"><script>` }, "<b>&"), '<p title="&#34;&#62;&#60;script&#62;">&#60;b&#62;&#38;</p>'],
  [h("ul", {}, [h("li", { key: 7 }, "a"), [h("li", {}, "b")]]), '<ul><li data-key="7">a</li><li>b</li></ul>'],
  [h("input", { name: "a" }), '<input name="a">'],
];

for (const [tree, html] of written) {
  test(`a tree is written as ${html}`, () => assert.equal(toHtml(tree), html));
}

const rates: readonly [number | undefined, string][] = [
  [undefined, "–"],
  [0, "0"],
  [0.04, "<0.1"],
  [4.25, "4.3"],
  [87.4, "87"],
  [1_340, "1.3k"],
  [23_400, "23k"],
];
const shares: readonly [number | null | undefined, string][] = [
  [null, "–"],
  [undefined, "–"],
  [0, "0"],
  [0.0004, "<0.1"],
  [0.0123, "1.2"],
  [0.5, "50"],
];
const times: readonly [number | null, string][] = [
  [null, "–"],
  [0.2, "<1"],
  [3.14, "3.1"],
  [86.4, "86"],
];
const agos: readonly [number, string][] = [
  [-5, "0 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [3_600_000, "1 h"],
  [47 * 3_600_000, "47 h"],
  [50 * 3_600_000, "2 d"],
];

test("numbers are short, and what is not nought never reads as nought", () => {
  for (const [value, text] of rates) assert.equal(rateShown(value), text);
  for (const [value, text] of shares) assert.equal(shareShown(value), text);
  for (const [value, text] of times) assert.equal(msShown(value), text);
  for (const [value, text] of agos) assert.equal(agoShown(value), text);
});

const figures = (perSecond: number, errorShare = 0): Figures => ({
  perSecond,
  inFlight: 0,
  errorShare,
  p50Ms: 1,
  p99Ms: 2,
});

function shownMember(id: string, changes: Partial<MemberShown> = {}): MemberShown {
  const role = id.replace(/-\d+$/, "");
  const known = {
    id,
    role,
    service: id,
    pool: role === "server" ? "web" : null,
    group: "1",
    status: "serving",
    severity: "good",
  } as const;
  const usual = { reason: "", next: "", sinceMs: null, remarks: [], address: "10.0.0.1:80", version: null, weight: 1 };
  return { ...known, ...usual, restarts: 0, probe: "passed", command: null, held: false, paused: false, ...changes };
}

const pool = {
  name: "web",
  kind: "servers",
  services: ["web"],
  routes: [],
  serving: 2,
  of: 2,
  word: "serving",
  paused: false,
} as const;
const two = [
  shownMember("balancer", { group: null }),
  shownMember("proxy-1"),
  shownMember("proxy-2", { group: "2" }),
  shownMember("server-1"),
  shownMember("server-2", { group: "2" }),
];
const edge = (from: string, to: string, perSecond: number, errorShare = 0) => ({
  from,
  to,
  ...figures(perSecond, errorShare),
});
const traffic: TrafficShown = {
  total: figures(9),
  members: { balancer: figures(9) },
  pools: {},
  edges: [
    edge("balancer", "proxy-1", 4),
    edge("balancer", "proxy-2", 5),
    edge("proxy-1", "server-1", 4, 0.5),
    edge("proxy-2", "server-2", 5),
  ],
};

const lines = (members: readonly MemberShown[], seen: TrafficShown | null = null, narrow = false) =>
  drawingOf({ members, pools: [pool], traffic: seen, narrow }).edges.map(
    ({ from, to, perSecond, failing }) => `${from} ${to} ${perSecond}${failing ? " failing" : ""}`,
  );

test("the topology has an edge from clients to the balancer, to each proxy, and to the servers of its group", () => {
  const edges = ["clients balancer", "balancer proxy-1", "balancer proxy-2", "proxy-1 server-1", "proxy-2 server-2"];
  assert.deepEqual(
    lines(two),
    edges.map((pair) => `${pair} undefined`),
  );
});

test("each edge has its requests a second, and says where they fail", () => {
  assert.deepEqual(lines(two, traffic), [
    "clients balancer 9",
    "balancer proxy-1 4",
    "balancer proxy-2 5",
    "proxy-1 server-1 4 failing",
    "proxy-2 server-2 5",
  ]);
});

test("of a tier that nobody could look at its edges are not said to be idle", () => {
  const seen = { ...traffic, edges: traffic.edges.filter(({ from }) => from !== "proxy-2") };
  assert.ok(lines(two, seen).includes("proxy-2 server-2 undefined"));
});

test("without proxies the balancer's edges lead to the servers, and requests past the plan have an edge too", () => {
  const none = two.filter(({ role }) => role !== "proxy");
  assert.deepEqual(lines(none), [
    "clients balancer undefined",
    "balancer server-1 undefined",
    "balancer server-2 undefined",
  ]);
  const past = { ...traffic, edges: [...traffic.edges, edge("balancer", "server-1", 2)] };
  assert.ok(lines(two, past).includes("balancer server-1 2"));
});

test("many servers are drawn as their pools, with the sum of what goes to each", () => {
  const many = Array.from({ length: 40 }, (_, index) =>
    shownMember(`server-${index + 1}`, { group: String((index % 2) + 1) }),
  );
  const edges = many.map(({ id, group }) => edge(`proxy-${group}`, id, 1));
  const drawn = lines([...two.slice(0, 3), ...many], { ...traffic, edges });
  assert.deepEqual(drawn.slice(-2), ["proxy-1 pool web 20", "proxy-2 pool web 20"]);
});

for (const narrow of [false, true]) {
  test(`no two nodes lie on each other, and none outside, ${narrow ? "downwards" : "across"}`, () => {
    for (const count of [0, 1, 3, 16]) {
      const servers = Array.from({ length: count }, (_, index) =>
        shownMember(`server-${index + 1}`, { group: String((index % 2) + 1) }),
      );
      const { nodes, width, height } = drawingOf({
        members: [...two.slice(0, 3), ...servers],
        pools: [pool],
        traffic,
        narrow,
      });
      for (const [index, one] of nodes.entries()) {
        assert.ok(one.x >= 0 && one.y >= 0 && one.x + NODE.width <= width && one.y + NODE.height <= height, one.id);
        for (const other of nodes.slice(index + 1))
          assert.ok(
            Math.abs(one.x - other.x) >= NODE.width || Math.abs(one.y - other.y) >= NODE.height,
            `${one.id} ${other.id}`,
          );
      }
    }
  });
}

test("what is drawn again from the same is the same, and from another is made anew", () => {
  let made = 0;
  const make = remembered((text: string, number: number) => {
    made += 1;
    return { text, number };
  });
  assert.equal(make("a", 1), make("a", 1));
  assert.notEqual(make("a", 2), make("b", 2));
  assert.equal(made, 3);
  const each = rememberedOf((of: { name: string }, add: string) => [of.name + add]);
  const [one, other] = [{ name: "x" }, { name: "y" }];
  const first = each(one, "!");
  assert.deepEqual([first, each(other, "!")], [["x!"], ["y!"]]);
  assert.equal(each(one, "!"), first);
});

test("of what comes anew those parts that say the same stay the objects that they were", () => {
  const before = { a: [{ id: 1 }, { id: 2, more: { deep: true } }], b: "x", c: null };
  const after = sharing(before, structuredClone({ ...before, a: [{ id: 1 }, { id: 3, more: { deep: true } }] }));
  assert.deepEqual(after.a, [{ id: 1 }, { id: 3, more: { deep: true } }]);
  assert.equal(after.a[0], before.a[0]);
  assert.equal(after.a[1]?.more, before.a[1]?.more);
  assert.notEqual(after.a[1], before.a[1]);
  assert.equal(sharing(before, structuredClone(before)), before);
  for (const [one, other] of [
    [[1], { 0: 1 }],
    [{}, null],
    [{ a: 1 }, {}],
    [[1, 2], [1]],
  ] as const)
    assert.deepEqual(sharing(one, other), other);
});

function viewed(changes: Partial<Viewed> = {}, parts: Partial<PageParts> = {}): Viewed {
  const round = state(
    [member("balancer"), member("server-1"), member("server-2", { state: "down" })],
    [serving("balancer"), serving("server-1"), slotState("server-2", { found: exited("server-2") })],
  );
  const shown = stateShown(round, systemFacts(), { rolls: [], scales: [] });
  const probes = { latestMs: 59_000, longAgoMs: {} };
  const known = { state: shown, probes, incidents: [], traffic: null, ...parts };
  return { ...known, nowMs: 60_000, link: { kind: "live" }, orders: "locked", notice: null, narrow: false, ...changes };
}

const htmlOf = (of: Viewed) => pageView(of).map(toHtml).join("\n");

test("a page that hears nothing says since when, is unknown, and tells of before", () => {
  const lost = viewed({ link: { kind: "lost", sinceMs: 48_000 } });
  const html = htmlOf(lost);
  assert.match(
    html,
    /role="alert">Watchdog unreachable since 00:00:48 UTC; traffic goes on: .*<\/span><span class="ago"> For 12 s now\./,
  );
  assert.match(html, /<h1 class="mark unknown">Unknown<\/h1>/);
  assert.match(html, /Before the watchdog fell silent: degraded, 2 of 3 members serve/);
  assert.equal(titleOf(lost), "Unknown: shop, Evenkeel");
});

test("all were probed at one time, and who is behind says how long ago", () => {
  const times = { balancer: 59_000, "server-1": 58_900, "server-2": 29_000 };
  const states = Object.entries(times).map(([id, probedMs]) => slotState(id, { probedMs }));
  const probes = probesShown(states, 1_000);
  assert.deepEqual(probes, { latestMs: 59_000, longAgoMs: { "server-2": 29_000 } });
  assert.deepEqual(probesShown(states, 15_000).longAgoMs, {});
  const html = htmlOf(viewed({ probes: { ...probes, longAgoMs: { "server-1": 29_000 } } }));
  assert.match(html, /Latest probe at <time datetime="1970-01-01T00:00:59.000Z">00:00:59 UTC<\/time>/);
  const cells = [...html.matchAll(/data-label="Last probe">([^<]*)</g)].map(([, text]) => text);
  assert.deepEqual(cells, ["passed", "passed, 31 s ago", "none yet"]);
});

test("nobody was probed yet: no time is shown", () => {
  assert.deepEqual(probesShown([slotState("server-1")], 1_000), { latestMs: null, longAgoMs: {} });
  assert.doesNotMatch(htmlOf(viewed({ probes: probesShown([], 1_000) })), /Latest probe/);
});

test("what is told at once holds no count of seconds, or a screen reader would never end", () => {
  const at = (nowMs: number) => htmlOf(viewed({ nowMs, link: { kind: "lost", sinceMs: 48_000 } }));
  const live = (html: string) =>
    [...html.matchAll(/role="(?:alert|status)"[^>]*>(.*?)<\/(?:span|div|p)>/g)].map(([, text]) => text);
  assert.ok(live(at(50_000)).length > 1);
  assert.deepEqual(live(at(50_000)), live(at(59_000)));
});

test("what is odd stands on top, the worst first, with what mends it", () => {
  const { state: shown } = viewed();
  const held = shownMember("server-3", { held: true, remarks: ["held"], command: "npm run ctl -- release server-3" });
  const html = htmlOf(viewed({ state: { ...shown, members: [...shown.members, held] } }));
  const [attention = ""] = /<ul class="attention">.*?<\/ul>/.exec(html) ?? [];
  assert.deepEqual(
    [...attention.matchAll(/href="#member-([^"]*)"/g)].map(([, id]) => id),
    ["server-2", "server-3"],
  );
  assert.match(attention, /npm run ctl -- release server-3/);
});

test("orders: no buttons before the token is entered, and none at all where the watchdog takes no token", () => {
  const buttons = (html: string) => [...html.matchAll(/data-order="([^"]*)"/g)].map(([, path]) => path);
  assert.deepEqual(buttons(htmlOf(viewed({ orders: "locked" }))), []);
  assert.match(htmlOf(viewed({ orders: "locked" })), /<label for="token">/);
  assert.match(htmlOf(viewed({ orders: "off" })), /set API_TOKEN for the watchdog/);
  const open = buttons(htmlOf(viewed({ orders: "open" })));
  for (const path of [
    "/api/slots/server-1/weight",
    "/api/slots/server-1/hold",
    "/api/slots/balancer/heal",
    "/api/rolls/server-1",
    "/api/services/server-2/pause",
  ])
    assert.ok(open.includes(path), path);
  assert.ok(!open.includes("/api/slots/balancer/weight"));
});

test("a roll is a bar with how far it is, a chip a slot, and why it turned", () => {
  const roll: RollRow = {
    ...{ order: "start-first", orderReason: null, parallel: 1 },
    service: "app",
    to: "sample",
    phase: "rolling-back",
    sample: "app-4",
    reason: "app-2 did not answer",
    paused: false,
    rolled: 1,
    of: 3,
    slots: [
      { slot: "app-1", rolled: true, busy: false },
      { slot: "app-2", rolled: false, busy: true },
      { slot: "app-3", rolled: false, busy: false },
    ],
  };
  const { state: shown } = viewed();
  const html = htmlOf(viewed({ state: { ...shown, rolls: [roll] } }));
  assert.match(html, /Roll of app<\/strong> rolling-back, 1 of 3/);
  assert.match(html, /<progress max="3" value="1" aria-label="Roll of app">/);
  assert.match(html, /app-1 new<.*app-2 in work<.*app-3 old<.*app-2 did not answer/);
});

test("an incident under way has the phases that it has reached, and for how long it goes on", () => {
  const { times } = incident(1);
  const { inTrafficMs: _, readyMs: __, ...begun } = times;
  const html = htmlOf(
    viewed({ nowMs: times.detectedMs + 900 }, { incidents: [incident(1, { outcome: "under-way", times: begun })] }),
  );
  assert.match(html, /under way for 900 ms/);
  assert.match(html, /start 137 ms/);
  assert.ok(!/ready \d+ ms/.test(html));
});
