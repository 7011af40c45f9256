// Pure. The small parts that several sections of the page are made from.

import type { Severity, Word } from "../document/document.ts";
import { h, type PageElement } from "./tree.ts";

type Attributes = Parameters<typeof h>[1];

/** A state's word with the shape of how bad it is: a colour alone is not for everybody. */
export function mark(severity: Severity | "unknown", ...text: Parameters<typeof h>[2][]): PageElement {
  return h("span", { class: `mark ${severity}` }, ...text);
}

export function severityOf(word: Word | "stopped"): Severity | "unknown" {
  return ({ serving: "good", degraded: "odd", outage: "bad", unknown: "unknown", stopped: "off" } as const)[word];
}

/** @param ago for how long, as text; null: nobody knows */
export function since(ms: number | null, ago: string | null): PageElement | undefined {
  if (ms === null || ago === null) return undefined;
  return h("time", { class: "since", datetime: new Date(ms).toISOString() }, `for ${ago}`);
}

export interface TableColumn {
  readonly title: string;
  readonly unit?: string;
  readonly number?: true;
}

/** Roles are said again, because a narrow page lays cells out as blocks, and browsers forget then what they were. */
export function table(caption: string, columns: readonly TableColumn[], bodies: readonly PageElement[]): PageElement {
  const heads = columns.map(({ title, unit, number }) =>
    h(
      "th",
      { scope: "col", role: "columnheader", class: number && "number" },
      title,
      unit && h("small", {}, ` ${unit}`),
    ),
  );
  return h(
    "table",
    { role: "table" },
    h("caption", { class: "unseen" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...heads)),
    ...bodies,
  );
}

export function row(key: string, attributes: Attributes, ...cells: readonly PageElement[]): PageElement {
  return h("tr", { key, role: "row", ...attributes }, ...cells);
}

export function body(key: string, ...rows: readonly (PageElement | undefined)[]): PageElement {
  return h("tbody", { key, role: "rowgroup" }, ...rows);
}

/** @param label its column, which a narrow page shows beside it */
export function cell(label: string, shape: string, ...children: Parameters<typeof h>[2][]): PageElement {
  return h("td", { role: "cell", class: shape || undefined, "data-label": label }, ...children);
}

/** A command to be copied. */
export function command(text: string, scripted: boolean): PageElement {
  const copy = h("button", { type: "button", class: "copy", "data-copy": text, "aria-label": `Copy: ${text}` }, "Copy");
  return h("span", { class: "command" }, h("code", {}, text), scripted && copy);
}

export function section(id: string, title: string, ...children: Parameters<typeof h>[2][]): PageElement {
  return h(
    "section",
    { key: id, id, "aria-labelledby": `${id}-title` },
    h("h2", { id: `${id}-title` }, title),
    ...children,
  );
}

/** An order's button; the script reads what it asks for. */
export function orderButton(
  text: string,
  about: string,
  order: { readonly path: string; readonly body?: object },
): PageElement {
  return h(
    "button",
    {
      type: "button",
      class: "order",
      "data-order": order.path,
      "data-body": order.body && JSON.stringify(order.body),
      "aria-label": `${text} ${about}`,
    },
    text,
  );
}
