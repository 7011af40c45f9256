// The same bytes through nginx, HAProxy and our balancer, each in front of a recording server. What both of them refuse, we
// refuse; what we forward means the same as where one of them forwards it. See test/tools/differential/differences.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Case, corpus } from "../tools/differential/corpus.ts";
import { differences } from "../tools/differential/differences.ts";
import { isInstalled, otherProxies, startOther } from "../tools/differential/other-proxies.ts";
import { type Outcome, send, type Way } from "../tools/differential/outcome.ts";
import { startTopology } from "../tools/rules/topology.ts";
import { RecordingOrigin } from "../tools/wire/recording-origin.ts";

const missing = otherProxies.filter((name) => !isInstalled(name));
const required = process.env.EVENKEEL_REQUIRE_PROXIES === "1";
const skip =
  missing.length > 0 && !required && `${missing.join(" and ")} not installed: apt-get install nginx-light haproxy`;

test("what nginx and HAProxy refuse is refused, and what is forwarded means the same", { skip }, async (t) => {
  assert.deepEqual(missing, [], "EVENKEEL_REQUIRE_PROXIES=1, and not installed");
  const ours = await startTopology(t, "tier 1");
  const others = await Promise.all(
    otherProxies.map(async (name): Promise<Way> => {
      const origin = await new RecordingOrigin().listen();
      t.after(() => origin.close());
      return { port: await startOther(t, name, origin.port), origin };
    }),
  );
  const found: string[] = [];
  const tally = { refused: 0, forwarded: 0, stricter: 0 };
  for (const one of corpus) {
    const [our, nginx, haproxy] = (await Promise.all([ours, ...others].map((way) => send(one.bytes, way)))) as [
      Outcome,
      Outcome,
      Outcome,
    ];
    const verdict = compare(our, [nginx, haproxy]);
    tally[verdict.kind === "same" ? verdict.as : "forwarded"] += 1;
    if (verdict.kind === "differs") found.push(describe(one, verdict.reason, { our, nginx, haproxy }));
  }
  t.diagnostic(`${corpus.length} cases: ${JSON.stringify(tally)}`);
  const allowed = (name: string) => differences.some(({ of }) => name.startsWith(of));
  assert.deepEqual(
    found.filter((name) => !allowed(name)),
    [],
  );
  const stale = differences.filter(({ of }) => !found.some((name) => name.startsWith(of)));
  assert.deepEqual(stale, [], "these differ no more");
});

type Verdict =
  | { readonly kind: "same"; readonly as: "refused" | "forwarded" | "stricter" }
  | { readonly kind: "differs"; readonly reason: string };

function compare(our: Outcome, others: readonly Outcome[]): Verdict {
  const forwarding = others.filter(({ reached }) => reached.length > 0);
  if (our.reached.length === 0) return { kind: "same", as: forwarding.length === 0 ? "refused" : "stricter" };
  if (forwarding.length === 0) return { kind: "differs", reason: "both refuse it" };
  const agrees = forwarding.some(({ reached }) => JSON.stringify(reached) === JSON.stringify(our.reached));
  return agrees ? { kind: "same", as: "forwarded" } : { kind: "differs", reason: "it means something else there" };
}

function describe({ name }: Case, reason: string, outcomes: Readonly<Record<string, Outcome>>): string {
  const each = Object.entries(outcomes).map(([who, { reached, statuses }]) => `${who}: ${reached} [${statuses}]`);
  return [name, reason, ...each].join(" | ");
}
