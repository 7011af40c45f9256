// Pure. The host's ports that a container publishes, as inspect writes them and create takes them.

import type { PortBindings } from "../containers/document.ts";

/** Ports that move stay in their block of a hundred, as the range of the servers (9001-9100) is one. */
const BLOCK = 100;

/** An empty key is no port ("invalid port specification"). */
export function withoutEmptyKeys<Value>(ports: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(ports).filter(([port]) => port !== ""));
}

/** Each published port so many further, round its block of a hundred that begins with a 1: 9004 > 9005, 9100 > 9001. */
export function movedPorts(bindings: PortBindings, by: number): PortBindings {
  return Object.fromEntries(
    Object.entries(bindings).map(([port, published]) => [
      port,
      published?.map((binding) => ({ ...binding, HostPort: movedPort(binding.HostPort ?? "", by) })) ?? null,
    ]),
  );
}

/** One that the engine chooses, or chooses from a range, is the engine's to move. */
function movedPort(text: string, by: number): string {
  if (!/^\d+$/.test(text)) return text;
  const port = Number(text);
  const first = port - ((port - 1) % BLOCK);
  return String(first + ((port - first + by) % BLOCK));
}
