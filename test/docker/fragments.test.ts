// The Compose fragments of docs/ that stand for whole files: Compose takes each, and `watchdogctl check` finds nothing wrong with those that
// have a watchdog. It needs Compose and no engine.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { composeFindings } from "../../watchdog/ctl/doctor/findings-compose.ts";
import { repository, dockerSkip as skip } from "../tools/docker/docker.ts";
import { read } from "../tools/docs.ts";
import { must } from "../tools/process/programs.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const DOCUMENTS = ["docs/moving.md", "docs/your-app.md"];
/** Where a reader has this repository. */
const BESIDE = "../evenkeel/evenkeel.yaml";

const fragments = await Promise.all(
  DOCUMENTS.map(async (path) => {
    const blocks = [...(await read(path)).matchAll(/^```yaml\n([\s\S]*?)^```$/gm)];
    return blocks.map(([, text], index) => ({ name: `${path}, fragment ${index + 1}`, text: text as string }));
  }),
);
const hasWatchdog = (text: string) => text.includes(BESIDE);

test("the documents have fragments of both kinds", () => {
  const all = fragments.flat();
  assert.ok(all.filter(({ text }) => hasWatchdog(text)).length >= 5);
  assert.ok(all.filter(({ text }) => !hasWatchdog(text)).length >= 4);
});

for (const { name, text } of fragments.flat()) {
  test(`${name}: Compose takes it${hasWatchdog(text) ? ", and check finds nothing" : ""}`, { skip }, async (t) => {
    const stdin = text.replaceAll(BESIDE, join(repository, "evenkeel.yaml"));
    const options = { stdin, cwd: await temporaryDirectory(t) };
    const { stdout } = await must(
      "docker",
      ["compose", "-p", "fragment", "-f", "-", "config", "--format", "json"],
      options,
    );
    if (!hasWatchdog(text)) return;
    const findings = composeFindings(JSON.parse(stdout)) ?? [];
    assert.ok(findings.length > 0);
    assert.deepEqual(
      findings.filter(({ level }) => level !== "ok"),
      [],
    );
  });
}
