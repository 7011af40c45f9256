// Pure. What doctor says of one thing it looked at: well, or what is wrong and what to do about it. Findings as text.

import { plain } from "./table.ts";

export type Finding = { readonly check: string } & ({ readonly level: "ok"; readonly what: string } | Trouble);

export interface Trouble {
  /** A warning may be meant so, or pass by itself; a fault does not. */
  readonly level: "warning" | "fault";
  readonly what: string;
  /** What to do about it. */
  readonly fix: string;
}

/** One finding for each trouble, or that all is well. */
export function verdict(check: string, fine: string, troubles: readonly Trouble[]): Finding[] {
  if (troubles.length === 0) return [{ check, level: "ok", what: fine }];
  return troubles.map((trouble) => ({ check, ...trouble }));
}

export const fault = (what: string, fix: string): Trouble => ({ level: "fault", what, fix });
export const warning = (what: string, fix: string): Trouble => ({ level: "warning", what, fix });

export function findingsText(findings: readonly Finding[]): string {
  const names = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap((finding) => {
    const head = `${finding.level.padEnd(7)}  ${finding.check.padEnd(names)}  `;
    const line = head + plain(finding.what);
    return finding.level === "ok" ? [line] : [line, `${" ".repeat(head.length)}> ${plain(finding.fix)}`];
  });
  const count = (wanted: Finding["level"]) => findings.filter(({ level }) => level === wanted).length;
  return `${lines.join("\n")}\n\n${count("ok")} ok, ${counted(count("warning"), "warning")}, ${counted(count("fault"), "fault")}`;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
