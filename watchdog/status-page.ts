// Pure. The status page: one table of the slots, rendered here, without scripts; it reloads itself every two seconds.

import type { Row } from "./view.ts";

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
  body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
  table { border-collapse: collapse; width: 100% }
  caption { text-align: left; padding: .5rem 0 }
  th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid #8886 }
  td.address { font-family: ui-monospace, monospace }
  td.serving::before { content: "\\25cf  "; color: #2a9d4a }
  td.other::before { content: "\\25cb  "; color: #d9822b }
`;

export function statusPage(rows: readonly Row[], version: number): string {
  const serving = rows.filter(({ state }) => state === "serving").length;
  const taking = rows.filter(({ role }) => role !== "client").length;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="2">
<title>Evenkeel: ${serving} of ${taking} serving</title><style>${STYLE}</style></head>
<body><h1>Evenkeel</h1>
<table><caption>${serving} of ${taking} members serve. Registry version ${version}.</caption>
<thead><tr><th scope="col">Slot</th><th scope="col">Group</th><th scope="col">Traffic</th><th scope="col">Address</th>
<th scope="col">Life</th><th scope="col">Generation</th><th scope="col">Next step</th></tr></thead>
<tbody>
${rows.map(tableRow).join("\n")}
</tbody></table></body></html>
`;
}

function tableRow({ slot, group, state, address, life, generation, step }: Row): string {
  const shape = state === "serving" ? "serving" : "other";
  const cells = [life, generation ?? "", step ?? ""].map((cell) => `<td>${asText(String(cell))}</td>`).join("");
  return `<tr><th scope="row">${asText(slot)}</th><td>${asText(group ?? "")}</td><td class="${shape}">${asText(state)}</td><td class="address">${asText(address ?? "")}</td>${cells}</tr>`;
}

/** Ids and reasons come from containers and engines: text, never markup. */
function asText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
