// Pure. Whether an endpoint's MAC address was configured. The engine tells the configured one of the first network alone; of the
// others inspect shows what they have, whoever gave it.

import type { Endpoint } from "./document.ts";

type Networks = Readonly<Record<string, Endpoint>>;

/** Such as 02:42:ac:11:00:02 for 172.17.0.2: up to Engine 27 the engine makes its own from the address. */
function derivedFrom(address: string): string {
  const bytes = address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
  return ["02", "42", ...bytes].join(":");
}

const isDerived = ({ MacAddress, IPAddress }: Endpoint) =>
  Boolean(IPAddress) && MacAddress === derivedFrom(IPAddress ?? "");

/**
 * The address that somebody gave the endpoint of this network; undefined: the engine made it, or we cannot tell. An engine that
 * derives its own has done so for another endpoint of the same container; one that gives random ones may have given this one, and
 * a twin that took it along would meet it on the same network.
 */
export function configuredMac(networks: Networks, name: string): string | undefined {
  const endpoint = networks[name];
  if (!endpoint?.MacAddress || isDerived(endpoint)) return undefined;
  const derives = Object.entries(networks).some(([other, each]) => other !== name && isDerived(each));
  return derives ? endpoint.MacAddress : undefined;
}
