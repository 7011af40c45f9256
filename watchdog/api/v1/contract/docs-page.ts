// The OpenAPI document as one page for people, without a script and without a request to anybody.

import { type DocumentName, documents } from "./documents.ts";
import { type Operation, type OperationName, operationList } from "./operations.ts";
import { problemNames, problems, typeOf } from "./problems.ts";

type Json = Readonly<Record<string, unknown>>;

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --line: #8884 }
  body { margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
  h1 { font-size: 1.4rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem } h3 { font-size: 1rem; margin: 1.5rem 0 .25rem }
  code, pre { font: .9em/1.4 ui-monospace, monospace } pre { overflow-x: auto; border: 1px solid var(--line); padding: .5rem }
  table { border-collapse: collapse; width: 100% } th, td { text-align: left; vertical-align: top; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid var(--line) }
  td:first-child { white-space: nowrap }
  @media (max-width: 44rem) {
    thead { display: none } tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line) }
    td, td:first-child { display: block; padding: 0; border: 0; white-space: normal; overflow-wrap: anywhere }
  }
`;

export function docsPage(openApi: Json): string {
  const { info, components } = openApi as unknown as {
    readonly info: { readonly version: string; readonly description: string };
    readonly components: { readonly schemas: Readonly<Record<string, Json>> };
  };
  const shapes = Object.keys(documents) as DocumentName[];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Evenkeel: the API</title>
<style>${STYLE}</style></head>
<body><main><h1>The API of Evenkeel ${asText(info.version)}</h1>
<p>${asText(info.description)} For programs: <a href="/api/openapi.json">OpenAPI 3.1</a>.</p>
<h2>Operations</h2>
${table(["Request", "What it does", "Answer"], operationList().map(operationRow))}
<p>Every order may have an <code>Idempotency-Key</code>: sent again with it, it is not given again, and its first answer is.
What is answered with 202 has begun, and <code>Location</code> says where it is followed.</p>
<h2>Problems</h2>
${table(
  ["Status", "Type", "Meaning"],
  problemNames.map((name) => [code(String(problems[name].status)), code(typeOf(name)), asText(problems[name].title)]),
)}
<h2>Documents</h2>
${shapes.map((name) => `<h3 id="${name}">${name}</h3>\n<pre tabindex="0">${asText(JSON.stringify(components.schemas[name], null, 2))}</pre>`).join("\n")}
</main></body></html>
`;
}

function operationRow([, { method, path, query = {}, summary, body, answers, status }]: readonly [
  OperationName,
  Operation,
]): string[] {
  const asked = Object.keys(query).length === 0 ? "" : `?${Object.keys(query).join("&")}`;
  const sends = body === undefined ? "" : `, sends ${link(body)}`;
  return [
    code(`${method.toUpperCase()} /api/v1${path}${asked}`),
    `${asText(summary)}${sends}`,
    `${status} ${answers === "events" ? "text/event-stream" : link(answers)}`,
  ];
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((title) => `<th scope="col">${title}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n");
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${body}\n</tbody></table>`;
}

const link = (name: DocumentName) => `<a href="#${name}">${name}</a>`;
const code = (text: string) => `<code>${asText(text)}</code>`;

function asText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
