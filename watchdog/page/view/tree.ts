// Pure. A page as data: elements with attributes and children, which the watchdog writes as HTML and the browser brings its document in
// line with. Text is text in both, whatever it holds: names and reasons come from containers and engines.

export interface PageElement {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly PageNode[];
  /** Tells it from its siblings, so that it is moved and not made anew. */
  readonly key: string | undefined;
}

export type PageNode = PageElement | string;

type Attribute = string | number | boolean | null | undefined;
type Child = PageNode | number | null | undefined | false | readonly Child[];
type Attributes = Readonly<Record<string, Attribute>>;

/** @param attributes `key` is none; false, null and undefined: it is not there; true: it is, and empty */
export function h(tag: string, { key, ...attributes }: Attributes = {}, ...children: readonly Child[]): PageElement {
  const given = Object.entries(attributes).filter(
    ([, value]) => value !== undefined && value !== null && value !== false,
  );
  return {
    tag,
    attributes: Object.fromEntries(given.map(([name, value]) => [name, value === true ? "" : String(value)])),
    children: joined(flat(children)),
    key: key === undefined || key === null ? undefined : String(key),
  };
}

export function toHtml(node: PageNode): string {
  if (typeof node === "string") return escaped(node);
  const { tag, key, attributes, children } = node;
  const given = Object.entries({ ...attributes, ...(key !== undefined && { [KEY]: key }) }).map(
    ([name, value]) => ` ${name}="${escaped(value)}"`,
  );
  const open = `<${tag}${given.join("")}>`;
  return EMPTY.has(tag) ? open : `${open}${children.map(toHtml).join("")}</${tag}>`;
}

/** Where a document keeps an element's key. */
export const KEY = "data-key";

/** Elements that have no end tag. */
const EMPTY: ReadonlySet<string> = new Set(["input", "br", "hr", "meta", "link"]);

function flat(children: readonly Child[]): PageNode[] {
  return children.flatMap((child): PageNode[] => {
    if (child === null || child === undefined || child === false || child === "") return [];
    if (typeof child === "number") return [String(child)];
    return isList(child) ? flat(child) : [child];
  });
}

/** A browser that reads HTML makes one text of two that touch. */
function joined(nodes: readonly PageNode[]): PageNode[] {
  const all: PageNode[] = [];
  for (const node of nodes) {
    const last = all.at(-1);
    if (typeof node === "string" && typeof last === "string") all[all.length - 1] = last + node;
    else all.push(node);
  }
  return all;
}

function isList(child: Child): child is readonly Child[] {
  return Array.isArray(child);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
