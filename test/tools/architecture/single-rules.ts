// The rules that stand in one place each: what they look like where somebody writes them again, and the files that may.

import type { Source } from "./sources.ts";

interface SingleRule {
  readonly rule: string;
  /** On the text without comments. */
  readonly pattern: RegExp;
  readonly stands: readonly string[];
}

const singleRules: readonly SingleRule[] = [
  {
    rule: "the names of Compose's labels",
    pattern: /com\.docker\.compose\b/,
    stands: ["watchdog/engines/docker/compose-labels.ts"],
  },
  {
    rule: "exponential back-off",
    // Not 2 ** 32, the range of a seed, nor 2 ** -n, the decay of a score.
    pattern: /\b2 \*\* (?!32\b|-)|\bMath\.pow\(2/,
    stands: ["services/runtime/backoff.ts"],
  },
  {
    rule: "an atomic write: a rename over the file",
    pattern: /(?<![.#\w])rename\(/,
    // The second puts a registry away that nobody can read, and writes nothing.
    stands: ["services/runtime/atomic-file.ts", "watchdog/act/registry-writer.ts"],
  },
  {
    rule: "an IPv6 address in brackets",
    pattern: /\[\$\{\w*(host|address|peer)\w*\}\]/i,
    stands: ["services/runtime/address.ts"],
  },
  {
    rule: "a failure told on stderr: complain",
    pattern: /\bfunction complain\b|\bconsole\.error\(/,
    // The other two tell there what is not their answer: failed requests, and the progress of a campaign.
    stands: ["services/runtime/exit.ts", "services/client/many.ts", "watchdog/chaos/chaos.ts"],
  },
  {
    rule: "the list of roles",
    pattern:
      /"(?:balancer|proxy|server)"[^;{}]{0,60}"(?:balancer|proxy|server)"[^;{}]{0,60}"(?:balancer|proxy|server)"/,
    stands: ["services/runtime/roles.ts"],
  },
  {
    rule: "the clock that people set, Date.now()",
    pattern: /\bDate\.now\(/,
    stands: [
      // Others read it.
      "services/runtime/http-date.ts",
      // They hold it against the engine's own times.
      "watchdog/engines/docker/discovery.ts",
      "watchdog/engines/docker/streams/runs.ts",
      "watchdog/observe/stop-intents.ts",
    ],
  },
];

/** Rules that a file says again, as `file: rule`. */
export function saidAgain({ path, bare }: Source): string[] {
  return singleRules
    .filter(({ pattern, stands }) => !stands.includes(path) && pattern.test(bare))
    .map(({ rule }) => `${path}: ${rule}`);
}

/** Places of the table where the rule does not stand: the table is out of date. */
export function standsNoMore(byPath: ReadonlyMap<string, Source>): string[] {
  return singleRules.flatMap(({ rule, pattern, stands }) =>
    stands.filter((path) => !pattern.test(byPath.get(path)?.bare ?? "")).map((path) => `${path}: ${rule}`),
  );
}

/** Exported types that share a name, as `Name: file, file`: one term per idea, one idea per term. */
export function sharedTypeNames(sources: readonly Source[]): string[] {
  const files = new Map<string, string[]>();
  for (const { path, code } of sources) {
    for (const [, name = ""] of code.matchAll(/^export\s+(?:abstract\s+)?(?:interface|type|class)\s+(\w+)/gm)) {
      files.set(name, [...(files.get(name) ?? []), path]);
    }
  }
  return [...files].filter(([, paths]) => paths.length > 1).map(([name, paths]) => `${name}: ${paths.join(", ")}`);
}
