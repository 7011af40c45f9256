// Pure. The host's ports that a container publishes, as inspect writes them and create takes them.

import type { PortBindings } from "./document.ts";

/** Ports that move stay in their block of a hundred, as the ranges of proxies (8081-8180) and servers (9001-9100) are. */
const BLOCK = 100;

/** An empty key is no port ("invalid port specification"). */
export function withoutEmptyKeys<Value>(ports: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(ports).filter(([port]) => port !== ""));
}

/** Each published port one further, round its block of a hundred that begins with a 1: 9004 > 9005, 9100 > 9001. */
export function nextPorts(bindings: PortBindings): PortBindings {
  return Object.fromEntries(
    Object.entries(bindings).map(([port, published]) => [
      port,
      published?.map((binding) => ({ ...binding, HostPort: nextPort(binding.HostPort ?? "") })) ?? null,
    ]),
  );
}

/** One that the engine chooses, or chooses from a range, is the engine's to move. */
function nextPort(text: string): string {
  if (!/^\d+$/.test(text)) return text;
  const port = Number(text);
  const first = port - ((port - 1) % BLOCK);
  return String(first + ((port - first + 1) % BLOCK));
}
