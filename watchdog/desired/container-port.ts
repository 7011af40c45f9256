// Pure. The one port of a container that requests go to: what its label says, else the one TCP port that is exposed, by the image's
// EXPOSE or the Compose file's `expose` and `ports`. Nobody guesses among several.

export type ContainerPort =
  | { readonly kind: "port"; readonly port: number }
  | { readonly kind: "fault"; readonly fault: string };

export interface EnginePorts {
  /** Such as `3000/tcp`. */
  readonly exposed: readonly string[];
  /** The ports of the host by the container's. */
  readonly published: Readonly<Record<string, readonly { readonly HostPort?: string }[] | null>>;
}

const SHOWN_MAX = 8;

/** @param labelled what the label says; undefined: there is none */
export function containerPort(labelled: number | undefined, { exposed, published }: EnginePorts): ContainerPort {
  const ports = exposed.flatMap((entry) => (/^\d+(\/tcp)?$/.test(entry) ? [Number.parseInt(entry, 10)] : []));
  if (labelled !== undefined) {
    const inside = insideOf(labelled, published);
    if (inside === undefined || ports.includes(labelled)) return { kind: "port", port: labelled };
    return fault(
      `${labelled} is published on the host; inside of the container it is ${inside}: set evenkeel.port: "${inside}"`,
    );
  }
  const [port, ...others] = ports.sort((one, other) => one - other);
  if (port === undefined) return fault('nothing is exposed; set evenkeel.port, such as evenkeel.port: "3000"');
  if (others.length === 0) return { kind: "port", port };
  return fault(`${[port, ...others].slice(0, SHOWN_MAX).join(", ")} are exposed; say which: evenkeel.port: "${port}"`);
}

/** The container's port behind one of the host's. */
function insideOf(hostPort: number, published: EnginePorts["published"]): number | undefined {
  const found = Object.entries(published).find(([, bindings]) =>
    bindings?.some(({ HostPort }) => HostPort === String(hostPort)),
  );
  const inside = found === undefined ? undefined : Number.parseInt(found[0], 10);
  return inside === hostPort ? undefined : inside;
}

const fault = (text: string): ContainerPort => ({ kind: "fault", fault: text });
