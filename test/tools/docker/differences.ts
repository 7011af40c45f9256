// Two inspected containers compared leaf by leaf: every path whose value is not the same, but for ids, which are never the same,
// and for the order of what has none.

/** Words whose order is their meaning. Every other array is a set. */
const ORDERED = /(^|\.)(Cmd|Entrypoint|Args|Test)$/;

/** Names for the ids in a document, such as `{ [id]: "self" }`. */
export type Names = Readonly<Record<string, string>>;

export interface Difference {
  /** Such as `HostConfig.Memory`. */
  readonly path: string;
  /** As JSON; undefined: there is no such path. */
  readonly was: string | undefined;
  readonly now: string | undefined;
}

export function differences(before: unknown, after: unknown): Difference[] {
  const [was, now] = [leavesOf(before), leavesOf(after)];
  const paths = [...new Set([...was.keys(), ...now.keys()])].sort();
  return paths.map((path) => ({ path, was: was.get(path), now: now.get(path) })).filter(({ was, now }) => was !== now);
}

/** The document with each id, and its short form, replaced by its name. */
export function named(document: unknown, names: Names): unknown {
  let text = JSON.stringify(document);
  for (const [id, name] of Object.entries(names)) {
    text = text.replaceAll(id, `<${name}>`).replaceAll(id.slice(0, 12), `<short ${name}>`);
  }
  return JSON.parse(text);
}

function leavesOf(value: unknown, path = "", leaves = new Map<string, string>()): Map<string, string> {
  const below = (key: string) => (path === "" ? key : `${path}.${key}`);
  if (typeof value !== "object" || value === null || ORDERED.test(path) || Object.keys(value).length === 0) {
    return leaves.set(path, JSON.stringify(value));
  }
  const entries = Array.isArray(value) ? value.map((one) => [keyOf(one), one] as const) : Object.entries(value);
  for (const [key, one] of entries) leavesOf(one, below(key), leaves);
  return leaves;
}

function keyOf(element: unknown): string {
  if (typeof element !== "object" || element === null) return String(element);
  const { Destination, Target, PathInContainer, Name, HostPort } = element as Readonly<Record<string, string>>;
  return Destination ?? Target ?? PathInContainer ?? Name ?? HostPort ?? JSON.stringify(element);
}
