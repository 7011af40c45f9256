// Pure. What doctor says of one thing it checked: that it is well, or a problem and what to do about it. Findings as text.

import { plain } from "../../../services/command-line/text-table.ts";

export type Finding = { readonly check: string } & ({ readonly level: "ok"; readonly what: string } | Problem);

export interface Problem {
  /** A warning may be meant so, or pass by itself; a fault does not. */
  readonly level: "warning" | "fault";
  readonly what: string;
  /** What to do about it. */
  readonly fix: string;
}

/** One finding for each problem, or that all is well. */
export function findingsOf(check: string, fine: string, problems: readonly Problem[]): Finding[] {
  if (problems.length === 0) return [{ check, level: "ok", what: fine }];
  return problems.map((problem) => ({ check, ...problem }));
}

export const fault = (what: string, fix: string): Problem => ({ level: "fault", what, fix });
export const warning = (what: string, fix: string): Problem => ({ level: "warning", what, fix });

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
