// Brings the document in line with what it should be: what is the same stays as it is, so focus, selection and what a screen reader has
// read stay too. What stands there is the document itself, be it the watchdog's or of the last time.

import { KEY, type PageElement, type PageNode } from "../view/tree.ts";

const SVG = "http://www.w3.org/2000/svg";

/** Makes these the children of the element. */
export function patch(parent: Element, wanted: readonly PageNode[]): void {
  const keyed = new Map<string, Element>();
  for (const child of parent.children) {
    const key = child.getAttribute(KEY);
    if (key !== null) keyed.set(key, child);
  }
  let place: ChildNode | null = parent.firstChild;
  for (const node of wanted) {
    const kept = matching(node, place, keyed);
    const child = kept ?? made(node, parent);
    if (child === place) place = place.nextSibling;
    else parent.insertBefore(child, place);
    if (kept !== undefined) update(kept, node);
  }
  while (place !== null) {
    const next: ChildNode | null = place.nextSibling;
    place.remove();
    place = next;
  }
}

function matching(node: PageNode, place: ChildNode | null, keyed: ReadonlyMap<string, Element>): ChildNode | undefined {
  if (typeof node === "string") return place?.nodeType === Node.TEXT_NODE ? place : undefined;
  const candidate = node.key === undefined ? place : keyed.get(node.key);
  if (!(candidate instanceof Element) || candidate.localName !== node.tag) return undefined;
  return candidate.getAttribute(KEY) === (node.key ?? null) ? candidate : undefined;
}

/** What each element was last made like. */
const like = new WeakMap<Element, PageElement>();

function update(there: ChildNode, node: PageNode): void {
  if (typeof node === "string") {
    if (there.nodeValue !== node) there.nodeValue = node;
    return;
  }
  const element = there as Element;
  const before = like.get(element);
  if (before === node) return;
  like.set(element, node);
  const had = before?.attributes ?? Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value]));
  for (const [name, value] of Object.entries(node.attributes))
    if (had[name] !== value) element.setAttribute(name, value);
  for (const name of Object.keys(had))
    if (name !== KEY && !Object.hasOwn(node.attributes, name)) element.removeAttribute(name);
  patch(element, node.children);
}

function made(node: PageNode, parent: Element): ChildNode {
  if (typeof node === "string") return document.createTextNode(node);
  const element = elementOf(node, parent);
  like.set(element, node);
  for (const [name, value] of Object.entries(node.attributes)) element.setAttribute(name, value);
  if (node.key !== undefined) element.setAttribute(KEY, node.key);
  element.append(...node.children.map((child) => made(child, element)));
  return element;
}

function elementOf({ tag }: PageElement, parent: Element): Element {
  const isDrawing = tag === "svg" || parent.namespaceURI === SVG;
  return isDrawing ? document.createElementNS(SVG, tag) : document.createElement(tag);
}
