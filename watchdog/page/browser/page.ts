// The page's script: hears what changes, draws it, and passes on what is pressed. All that is drawn is view/'s, as without a script.

import type { PageParts } from "../document/document.ts";
import { titleOf } from "../view/header-view.ts";
import { pageView } from "../view/page-view.ts";
import { sharing } from "../view/remembered.ts";
import type { Link, Viewed } from "../view/viewed.ts";
import { listen } from "./events.ts";
import { access, enter, forget, type OrderNotice, order } from "./orders.ts";
import { patch } from "./patch.ts";

const DRAW_MS = 1_000;
const NO_PROBES: PageParts["probes"] = { latestMs: null, longAgoMs: {} };

const narrow = matchMedia("(max-width: 720px)");
let parts: Partial<PageParts> = {};
/** The watchdog's time is so much more than the page's, which nobody sets. */
let aheadMs = 0;
let heardMs = 0;
let link: Link = { kind: "live" };
let notice: OrderNotice | null = null;
let isDue = false;

const page = document.getElementById("page");
if (page !== null && location.pathname === "/") start(page);

function start(place: HTMLElement): void {
  listen({
    onPart(part) {
      parts = sharing(parts, { ...parts, ...part });
      heard();
    },
    onTime(ms) {
      aheadMs = ms - performance.now();
      heard();
    },
    onLost() {
      if (link.kind === "live") link = { kind: "lost", sinceMs: heardMs };
      draw(place);
    },
  });
  place.addEventListener("click", (event) => void pressed(event, place));
  place.addEventListener("submit", (event) => entered(event, place));
  narrow.addEventListener("change", () => draw(place));
  setInterval(() => draw(place), DRAW_MS);

  function heard(): void {
    heardMs = performance.now() + aheadMs;
    link = { kind: "live" };
    // Parts that come together are drawn together.
    if (isDue) return;
    isDue = true;
    setTimeout(() => draw(place));
  }
}

function draw(place: HTMLElement): void {
  isDue = false;
  const { state, probes = NO_PROBES, incidents = [], traffic = null } = parts;
  // Until the first event, what the watchdog has drawn stands.
  if (state === undefined) return;
  const orders = access(state.overview.takesOrders);
  const nowMs = performance.now() + aheadMs;
  const viewed: Viewed = { state, probes, incidents, traffic, nowMs, link, orders, notice, narrow: narrow.matches };
  const title = titleOf(viewed);
  if (document.title !== title) document.title = title;
  patch(place, pageView(viewed));
}

async function pressed({ target }: Event, place: HTMLElement): Promise<void> {
  const button = target instanceof Element ? target.closest("button") : null;
  if (button === null) return;
  const { copy, order: path, body, forget: forgets } = button.dataset;
  if (copy !== undefined) notice = await copied(copy);
  else if (forgets !== undefined) forget();
  else if (path !== undefined) notice = await order(path, button.getAttribute("aria-label") ?? "", body);
  draw(place);
}

async function copied(text: string): Promise<OrderNotice> {
  const isCopied = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  return isCopied
    ? { ok: true, text: "Copied." }
    : { ok: false, text: "The browser does not let it be copied: mark it and copy." };
}

function entered(event: Event, place: HTMLElement): void {
  event.preventDefault();
  const input = document.getElementById("token");
  if (input instanceof HTMLInputElement) enter(input.value);
  notice = null;
  draw(place);
}
