// `npm run soak`: a million requests, ten thousand swaps of the registry, ten thousand clients that leave in the middle and a
// thousand WebSockets, against one balancer that stays up. Exit code 0: no request failed, and nothing has grown.

import { parseArgs } from "node:util";
import { type Amounts, Load } from "./clients.ts";
import { compare, read, settle } from "./reading.ts";
import { System } from "./system.ts";

const MINUTE_MS = 60_000;
const LONG: Amounts = { requests: 1_000_000, swaps: 10_000, aborts: 10_000, webSockets: 1_000 };
const SHORT: Amounts = { requests: 20_000, swaps: 300, aborts: 300, webSockets: 50 };
/** As wide as the load itself, so that pools, heaps and label values are there before the first reading. */
const WARM_UP: Amounts = { requests: 3_000, swaps: 40, aborts: 60, webSockets: 24 };

const { values } = parseArgs({ options: { short: { type: "boolean" }, minutes: { type: "string" } } });
const amounts = values.short ? SHORT : LONG;
/** Whatever is not done by then is left undone, and the report says so. */
const limitMs = Number(values.minutes ?? (values.short ? 0.25 : 60)) * MINUTE_MS;

async function soak(system: System): Promise<boolean> {
  await system.renew();
  const warmUp = await new Load(system, WARM_UP, limitMs).run();
  await settle(system);
  const before = await read(system);

  const startedMs = performance.now();
  const { done, failures: late } = await new Load(system, amounts, limitMs).run();
  const seconds = (performance.now() - startedMs) / 1_000;
  await settle(system);
  const { table, leaks } = compare(before, await read(system));

  const failures = [...warmUp.failures, ...late];
  const counts = Object.entries(done).map(([kind, count]) => `${count} of ${amounts[kind as keyof Amounts]} ${kind}`);
  console.log(`${counts.join(", ")} in ${seconds.toFixed(1)} s (${Math.round(done.requests / seconds)} requests/s)`);
  for (const line of table) console.log(line);
  for (const [reason, count] of failures) console.log(`FAILED ${count} times: ${reason}`);
  for (const leak of leaks) console.log(`GROWN beyond its margin: ${leak}`);
  if (failures.length + leaks.length === 0) console.log("nothing failed, and nothing has grown");
  return failures.length + leaks.length === 0;
}

const ends: (() => void | Promise<void>)[] = [];
try {
  process.exitCode = (await soak(await System.start({ after: (end) => void ends.push(end) }))) ? 0 : 1;
} finally {
  for (const end of ends) await end();
}
