// Which peers may say where a request comes from: those listed in TRUSTED_PROXIES. Their X-Forwarded-For is kept and added to, and their
// PROXY protocol header is believed; what any other peer says of it is overwritten.

import { BlockList, isIP } from "node:net";

const KNOWN_MAX = 1_000;

export type TrustedPeers = (address: string) => boolean;

/** @param ranges addresses, or networks as address/bits; config.ts has checked them */
export function trustedPeers(ranges: readonly string[]): TrustedPeers {
  if (ranges.length === 0) return () => false;
  const list = new BlockList();
  for (const range of ranges) {
    const [address, bits] = range.split("/") as [string, string?];
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  // A look into the list costs as much as parsing a request, and the same few peers are asked about again and again.
  const known = new Map<string, boolean>();
  return (address) => {
    let trusted = known.get(address);
    if (trusted === undefined) {
      const peer = unmapped(address);
      trusted = list.check(peer, isIP(peer) === 6 ? "ipv6" : "ipv4");
      if (known.size >= KNOWN_MAX) known.clear();
      known.set(address, trusted);
    }
    return trusted;
  };
}

/** An IPv4 address as an IPv6 socket writes it is an IPv4 address. */
export function unmapped(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice("::ffff:".length) : address;
}
