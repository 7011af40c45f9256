// Reads the metrics of all members, some at a time, and of the watchdog, and makes one text of them. Bounded as a whole: a member that
// tells too much is left out, not the others.

import { mergedMetrics, type ToldMetrics } from "./merged.ts";
import { type ScrapePlace, scrape } from "./scrape.ts";

export interface ScrapedMember {
  readonly labels: Readonly<Record<string, string>>;
  readonly place: ScrapePlace;
}

const AT_A_TIME = 32;
/** Two hundred members' take a third of it. */
const CHARACTERS_MAX = 48 * 1_048_576;

/** Never rejects because of a member. @param own the watchdog's */
export async function allMetrics(members: readonly ScrapedMember[], own: ToldMetrics): Promise<string> {
  const told: ToldMetrics[] = [own];
  let left = CHARACTERS_MAX;
  for (let at = 0; at < members.length; at += AT_A_TIME) {
    const some = members.slice(at, at + AT_A_TIME);
    const texts = await Promise.all(some.map(({ place }) => scrape(place)));
    for (const [index, { labels }] of some.entries()) {
      const text = texts[index];
      left -= text?.length ?? 0;
      told.push({ labels, text: left < 0 ? undefined : text });
    }
  }
  return mergedMetrics(told);
}
