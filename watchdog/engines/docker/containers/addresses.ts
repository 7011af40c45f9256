// Pure. Which of a container's addresses is which, where it is on several networks: (its networks, those of others) -> the
// address for the tier in front of it, and the one for the watchdog's probes. On segmented networks they differ.

/** Of a container, as the engine has it. */
type Networks = Readonly<Record<string, { readonly IPAddress?: string } | null | undefined>>;

export interface Neighbours {
  /** The networks of each member in front of it: whoever forwards to it. */
  readonly fronts: readonly ReadonlySet<string>[];
  /** The watchdog's own networks. None: it is no container, and reaches all. */
  readonly own: ReadonlySet<string>;
}

export interface Addresses {
  /** For the tier in front. */
  readonly host?: string;
  /** For the watchdog, where that is another. */
  readonly probeHost?: string;
  /** It has an address, and none that the watchdog can reach. */
  readonly outOfSight?: true;
}

export function addressesOf(networks: Networks, { fronts, own }: Neighbours): Addresses {
  const there = Object.entries(networks).flatMap(([name, endpoint]) => {
    const address = endpoint?.IPAddress;
    if (!address) return [];
    const inFront = fronts.filter((front) => front.has(name)).length;
    return [{ address, inFront, inSight: own.size === 0 || own.has(name) }];
  });
  if (there.length === 0) return {};
  const inSight = there.filter((one) => one.inSight);
  const shared = there.filter(({ inFront }) => inFront > 0);
  // The tier in front may be on its way, or share a network with nobody: then what we reach is the best guess.
  const host = best(shared.length > 0 ? shared : inSight);
  const probeHost = host?.inSight ? host : best(inSight);
  return {
    ...(host && { host: host.address }),
    ...(probeHost === undefined
      ? { outOfSight: true as const }
      : probeHost !== host && { probeHost: probeHost.address }),
  };
}

interface Address {
  readonly address: string;
  readonly inFront: number;
  readonly inSight: boolean;
}

/** The one that most in front can use, and of these one that we can probe. */
function best(addresses: readonly Address[]): Address | undefined {
  const rank = ({ inFront, inSight }: Address) => 2 * inFront + (inSight ? 1 : 0);
  return [...addresses].sort((one, other) => rank(other) - rank(one))[0];
}
