// A browser for tests: Debian's chromium, headless, with a profile of its own, which asks nobody but the page's host.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Scope } from "../scope.ts";

export interface Look {
  readonly scheme: "light" | "dark";
  readonly width: number;
}

const HEIGHT = 900;
const ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"];

/** Until the scope is over. */
export async function openBrowser(scope: Scope): Promise<Browser> {
  const executablePath = (process.env.PATH ?? "")
    .split(":")
    .map((folder) => join(folder, "chromium"))
    .find(existsSync);
  const browser = await chromium.launch({ args: ARGUMENTS, ...(executablePath !== undefined && { executablePath }) });
  scope.after(() => browser.close());
  return browser;
}

export interface OpenedPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What its console and its scripts complained of. */
  readonly complaints: string[];
}

export async function openPage(browser: Browser, url: string, { scheme, width }: Look): Promise<OpenedPage> {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: HEIGHT } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // A connection that the watchdog's end cuts is one that the test has cut.
    const isLost = message.text().startsWith("Failed to load resource: net::ERR_");
    if (message.type() === "error" && !isLost) complaints.push(message.text());
  });
  await page.goto(url);
  return { context, page, complaints };
}
