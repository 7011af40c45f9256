// The rules of RFC 9110 and 9112 for an intermediary: every row of the table at tier 1, at tier 2, through both and over a link, with real
// processes and raw bytes. The rows are data (test/tools/rules); this file starts the topologies and prints the summary.

import { type TestContext, test } from "node:test";
import type { Row } from "../tools/rules/row.ts";
import { runRow } from "../tools/rules/run-row.ts";
import { Summary } from "../tools/rules/summary.ts";
import { rows } from "../tools/rules/table.ts";
import { names, startTopology, type TopologyName } from "../tools/rules/topology.ts";

test("every rule holds at tier 1, at tier 2, through both, and through both over a link", {
  concurrency: true,
}, async (t) => {
  const summary = new Summary(rows);
  await Promise.all(names.map((name) => t.test(name, { concurrency: true }, (t) => runAll(t, name, summary))));
  for (const line of summary.lines()) t.diagnostic(line);
});

/** One after the other, for they share an origin; those that only wait go beside them. */
async function runAll(t: TestContext, name: TopologyName, summary: Summary): Promise<void> {
  const at = await startTopology(t, name);
  const run = (row: Row, quiet?: Promise<unknown>) =>
    t.test(`${row.rule}. ${row.fact}`, async () => {
      await runRow(row, at, quiet);
      summary.held(row, name);
    });
  let nobodyPlays: () => void = () => {};
  const quiet = new Promise<void>((resolve) => {
    nobodyPlays = resolve;
  });
  const slow = rows.filter((row) => row.slow).map((row) => run(row, quiet));
  for (const row of rows.filter((row) => !row.slow)) await run(row);
  nobodyPlays();
  await Promise.all(slow);
}
