// The words that the code no longer uses, with the field's term for each (design, "Words"): as identifiers, as parts of them,
// as file names, as kinds and as log events. Comments are ordinary English and are not looked at.

import type { Source } from "./sources.ts";

interface Retired {
  readonly now: string;
  /** A word of an identifier or of a file's name, in lower case: `onTrial` has the word trial. */
  readonly word?: RegExp;
  /** A whole identifier. */
  readonly identifier?: RegExp;
  /** A whole text in quotes. */
  readonly string?: RegExp;
  /** Where the word means something else, and is the field's own. */
  readonly except?: RegExp;
}

const retired: readonly Retired[] = [
  { word: /^rosters?$/, now: "cluster" },
  { word: /^places$/, identifier: /^hasPlace$/, now: "concurrency limit: hasCapacity, acquire, release" },
  { identifier: /^Line$/, now: "upstream, downstream" },
  { identifier: /^[tT]urns$/, now: "response ordering", except: /^test\// },
  { word: /^witness(es)?$/, now: "outcome (passive health)" },
  // The state file of version 0.1.0 has a key of that name, which is still read.
  { word: /^wish(es|ed)?$/, now: "stop intent", except: /\/(state-file|observer\.test)\./ },
  { word: /^aside$/, now: "previous container" },
  { word: /^(vitals|pulses?)$/, now: "probe, liveness" },
  { identifier: /^leaveLost$/, now: "evacuate" },
  { word: /^savings$/, now: "retry budget, tokens" },
  { word: /^situations?$/, now: "slot state" },
  { word: /^(restraints?|hindrances?)$/, now: "disruption budget, blockedBy" },
  { word: /^trials?$/, now: "half-open; verify" },
  { string: /^(settle|undo)$/, now: "commit, roll back" },
  { identifier: /^ownAnswers?$/, string: /own-answer/, now: "local reply" },
  // Lamport's bakery, by which a lease is taken, has claims of its own.
  { word: /^claims$/, now: "forwarded headers", except: /^(watchdog|test)\// },
  { string: /-(goes-on|works-again|kept-again)$/, now: "<thing>-failing, <thing>-recovered" },
];

/** Each retired word once a file, as `file: word`. */
export function retiredWords({ path, code, strings }: Source): string[] {
  const identifiers = [...new Set(spokenOf(code).match(/[A-Za-z_$][\w$]*/g) ?? [])];
  const names = [...identifiers, ...path.split(/[/.]/).map((part) => part.replaceAll("-", "_"))];
  const found = retired
    .filter(({ except }) => !except?.test(path))
    .flatMap(({ word, identifier, string }) => [
      ...names.filter((name) => word && wordsOf(name).some((one) => word.test(one))),
      ...identifiers.filter((name) => identifier?.test(name)),
      ...strings.filter((text) => string?.test(text)),
    ]);
  return [...new Set(found)].sort().map((name) => `${path}: ${name}`);
}

/** Code without regular expressions, and of templates only what they evaluate. */
function spokenOf(code: string): string {
  const bare = code.replace(/(?<=[(,=:[!&|?]\s*)\/(?![*/])(?:\\.|[^/\n\\])+\/[a-z]*/g, "");
  return bare.replace(/`(?:\\.|[^`\\])*`/g, (template) =>
    [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, inner]) => inner).join(" "),
  );
}

function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[_$]+/);
}
