// The status page in a browser, over a whole system of processes: it follows what happens without being loaded anew, says when the
// watchdog is gone, gives orders with the token, and is for everybody: axe finds nothing, light or dark, wide or narrow.
// With EVENKEEL_PICTURES=docs/pictures its pictures are taken anew.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { axeFinds } from "../tools/browser/axe.ts";
import { type Look, openBrowser, openPage } from "../tools/browser/browser.ts";
import { eventually } from "../tools/eventually.ts";
import { fewClients, loadOn } from "../tools/load/load.ts";
import { whyNo } from "../tools/process/programs.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { fileScope } from "../tools/scope.ts";

const TOKEN = "the-token-of-this-test";
const SERVERS = [1, 2, 3, 4, 5, 6].map((number) => `server-${number}`);
const wide: Look = { scheme: "light", width: 1280 };
const looks: readonly Look[] = [
  wide,
  { scheme: "dark", width: 1280 },
  { scheme: "light", width: 400 },
  { scheme: "dark", width: 400 },
];
const PICTURES = process.env.EVENKEEL_PICTURES;
/** What is below is in the next picture, or in none. */
const HEIGHT_MAX = 640;
const WITHIN = { timeout: 30_000 };

const skip = whyNo("chromium");
const scope = fileScope();
let system: ProcessSystem;
let browser: Browser;

before(async () => {
  if (skip !== false) return;
  system = await startSystem(scope, { API_TOKEN: TOKEN });
  browser = await openBrowser(scope);
});

const urlOf = () => `http://127.0.0.1:${system.watchdogPort}/`;

/** What the page shows as it shows it: the state's word and reason, and how the rows of members are, each time one of them changes. */
async function watched(page: Page): Promise<void> {
  await page.waitForSelector("#orders", WITHIN);
  await page.evaluate(`
    window.seen = [];
    const look = () => {
      const text = (selector) => document.querySelector(selector)?.textContent ?? "";
      const rows = [...document.querySelectorAll("tr[id]")].map((row) => row.id.slice(7) + " " + row.className).join(",");
      const now = [text("h1"), text(".state .reason"), text(".banner"), rows].join("|");
      if (now !== window.seen.at(-1)?.now) window.seen.push({ now, atMs: Date.now() });
    };
    new MutationObserver(look).observe(document.getElementById("page"), { subtree: true, childList: true, attributes: true, characterData: true });
    look();
  `);
}

interface Seen {
  readonly now: string;
  readonly atMs: number;
}

const seenBy = async (page: Page) =>
  ((await page.evaluate("window.seen")) as Seen[] | undefined) ?? assert.fail("the page was loaded anew");

/** The page's upper part, as people see it first. */
async function picture(page: Page, name: string, heightMax = HEIGHT_MAX): Promise<void> {
  if (PICTURES === undefined) return;
  await page.evaluate("scrollTo(0, 0)");
  const { width = 0, height = 0 } = page.viewportSize() ?? {};
  const clip = { x: 0, y: 0, width, height: Math.min(height, heightMax) };
  await page.screenshot({ path: `${PICTURES}/${name}.png`, animations: "disabled", clip });
}

test("a killed server turns, and its incident comes with its phases, without the page being loaded anew", {
  skip,
}, async (t) => {
  const { page, context, complaints } = await openPage(browser, urlOf(), wide);
  t.after(() => context.close());
  const load = loadOn(t, system.balancerPort, fewClients);
  await watched(page);
  await eventually(
    "traffic is shown",
    async () => /\d/.test(await page.locator(".figures dd").first().innerText()),
    20_000,
  );
  const before = await page.locator(".timeline > li").count();
  const killedMs = Date.now();
  process.kill(system.pid("server-4"), "SIGKILL");
  const turned = await eventually(
    "its row turns",
    async () =>
      (await seenBy(page)).find(
        ({ now, atMs }) => atMs >= killedMs && / server-4 (bad|odd)|server-4 (bad|odd)/.test(now),
      ),
    20_000,
  );
  t.diagnostic(`the row turned ${turned.atMs - killedMs} ms after the kill`);
  await page.locator("#member-server-4.good").waitFor(WITHIN);
  await eventually("one incident more", async () => (await page.locator(".timeline > li").count()) === before + 1);
  const incident = page.locator(".timeline > li").first();
  await incident.getByText("healed in").waitFor(WITHIN);
  assert.match(
    await incident.innerText(),
    /server-4: it was killed by SIGKILL[\s\S]*decide \d+ ms[\s\S]*create[\s\S]*start[\s\S]*ready[\s\S]*traffic/,
  );
  await picture(page, "page-light");
  await incident.getByRole("link").click();
  await page.getByRole("heading", { name: "The last lines of the member before" }).waitFor(WITHIN);
  assert.match(await page.locator("pre").innerText(), /"event":"listening"/);
  await picture(page, "incident-light");
  assert.deepEqual(complaints, []);
  await load.finish();
});

test("while the watchdog is gone the page says since when, and that traffic goes on; then it is back, and never said 0 of 0", {
  skip,
}, async (t) => {
  const { page, context, complaints } = await openPage(browser, urlOf(), wide);
  t.after(() => context.close());
  await watched(page);
  await page.getByRole("heading", { name: "Serving" }).waitFor(WITHIN);
  await system.respawnsAfter(() => {
    // Nobody starts the next one until the page has been looked at.
    process.kill(system.guardian, "SIGSTOP");
    process.kill(system.pid("watchdog"), "SIGKILL");
    void page
      .getByText(/Watchdog unreachable since \d\d:\d\d:\d\d UTC; traffic goes on/)
      .waitFor(WITHIN)
      .finally(() => process.kill(system.guardian, "SIGCONT"));
  });
  await page.getByRole("heading", { name: "Serving" }).waitFor(WITHIN);
  await eventually("nothing is said of the watchdog", async () => (await page.locator(".banner").count()) === 0);
  const seen = (await seenBy(page)).map(({ now }) => now);
  assert.ok(
    seen.some((now) => now.startsWith("Unknown|") && now.includes("Watchdog unreachable since")),
    seen.join("\n"),
  );
  assert.deepEqual(
    seen.filter((now) => /\b0 of 0\b/.test(now)),
    [],
  );
  assert.deepEqual(complaints, []);
});

test("with the token the page gives orders; a total outage is red, and says so, and release ends it", {
  skip,
}, async (t) => {
  const { page, context, complaints } = await openPage(browser, urlOf(), wide);
  t.after(() => context.close());
  const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
  await page.getByLabel("API token").fill("not-the-right-token");
  await press("Unlock the buttons");
  await press("Hold server-1");
  await page.getByText(/Hold server-1: .*API_TOKEN/).waitFor(WITHIN);
  await page.getByLabel("API token").fill(TOKEN);
  await press("Unlock the buttons");
  for (const server of SERVERS) {
    await press(`Hold ${server}`);
    await page.locator(`#member-${server}`).getByText("held").first().waitFor(WITHIN);
  }
  for (const server of SERVERS) process.kill(system.pid(server), "SIGKILL");
  const heading = page.getByRole("heading", { name: "Outage" });
  await heading.waitFor(WITHIN);
  await page.getByText("Servers: none of 6 serves.").waitFor(WITHIN);
  const colour = "getComputedStyle(document.querySelector('h1')).color.match(/\\d+/g).map(Number)";
  const [red = 0, green = 0, blue = 0] = (await page.evaluate(colour)) as number[];
  assert.ok(red > 2 * green && red > 2 * blue, `${red} ${green} ${blue}`);
  assert.match(await page.title(), /^Outage: /);
  assert.match(await page.locator("#member-server-2").innerText(), /down[\s\S]*npm run ctl -- release server-2/);
  await picture(page, "page-outage");
  assert.deepEqual(await axeFinds(page), []);
  for (const server of SERVERS) await press(`Release ${server}`);
  await page.getByRole("heading", { name: "Serving" }).waitFor(WITHIN);
  await press("Drain server-3");
  await page.locator("#member-server-3").getByText("drained: weight 0").waitFor(WITHIN);
  await press("Refill server-3");
  await eventually(
    "it has its weight again",
    async () => !(await page.locator("#member-server-3").innerText()).includes("drained"),
  );
  const generation = (await system.member("server-5"))?.generation ?? 0;
  await press("Heal server-5");
  await eventually(
    "it is made anew",
    async () => ((await system.member("server-5"))?.generation ?? 0) > generation,
    30_000,
  );
  assert.deepEqual(
    complaints.filter((complaint) => !complaint.includes("403")),
    [],
  );
});

test("axe finds nothing, and nothing is wider than the page, in light and dark, wide and at 400 px", {
  skip,
}, async (t) => {
  await system.serves();
  const load = loadOn(t, system.balancerPort, fewClients);
  for (const look of looks) {
    for (const path of ["", "incidents/1"]) {
      const { page, context, complaints } = await openPage(browser, `${urlOf()}${path}`, look);
      await page.locator("main section").first().waitFor(WITHIN);
      if (path === "")
        await eventually(
          "traffic is shown",
          async () => /\d/.test(await page.locator(".figures dd").first().innerText()),
          20_000,
        );
      assert.deepEqual(await axeFinds(page), [], `${look.scheme} ${look.width} /${path}`);
      assert.equal(await page.evaluate("document.documentElement.scrollWidth"), look.width);
      if (path === "" && look.scheme === "dark" && look.width < 720) await picture(page, "page-narrow-dark", 900);
      if (path === "" && look.scheme === "dark" && look.width > 720) await picture(page, "page-dark");
      assert.deepEqual(complaints, []);
      await context.close();
    }
  }
  await load.finish();
});

test("by keyboard alone the first stop leads past the top, and every button can be reached", { skip }, async (t) => {
  const { page, context } = await openPage(browser, urlOf(), wide);
  t.after(() => context.close());
  await page.waitForSelector("#orders", WITHIN);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate("document.activeElement.className"), "skip");
  await page.keyboard.press("Enter");
  assert.equal(new URL(page.url()).hash, "#main");
  await page.getByLabel("API token").focus();
  await page.keyboard.type(TOKEN);
  await page.keyboard.press("Enter");
  const hold = page.getByRole("button", { name: "Hold server-6", exact: true });
  await hold.focus();
  // Drawn anew under it, a button keeps the focus.
  const drawn = page.locator("header time");
  const before = await drawn.innerText();
  await eventually("the page is drawn anew", async () => (await drawn.innerText()) !== before);
  await page.keyboard.press("Enter");
  await page.locator("#member-server-6").getByText("held").first().waitFor(WITHIN);
  await page.getByRole("button", { name: "Release server-6", exact: true }).press("Enter");
  await eventually(
    "it is released",
    async () => !(await page.locator("#member-server-6").innerText()).includes("held"),
  );
});

test("without a script the page is a table, which loads itself anew", { skip }, async (t) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(urlOf());
  assert.equal(await page.locator("#member-server-1").count(), 1);
  assert.equal(await page.getByRole("table").count(), 2);
  assert.equal(await page.getByRole("button").count(), 0);
  const time = page.locator("header time");
  const before = await time.innerText();
  await eventually("it is of now", async () => (await time.innerText()) !== before, 30_000);
});
