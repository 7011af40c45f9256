// What comes between two nodes: the cable out, or the overlay's packets dropped while all else passes. Each is undone with its scope.

import { eventually } from "../eventually.ts";
import { must } from "../process/programs.ts";
import type { Scope } from "../scope.ts";

const VXLAN_PORT = "4789";

interface Cut {
  /** Undoes it. May be called twice. */
  readonly mend: () => Promise<void>;
}

/** Takes the cable to a node out. */
export async function cableOut(scope: Scope, address: string): Promise<Cut> {
  const link = await linkTo(address);
  await must("ip", ["link", "set", link, "down"]);
  return undone(scope, async () => void (await must("ip", ["link", "set", link, "up"])));
}

/** Drops what the overlay network sends to a node and gets from there. */
export async function overlayDropped(scope: Scope, address: string): Promise<Cut> {
  const link = await linkTo(address);
  const rules = [
    ["INPUT", "--in-interface"],
    ["OUTPUT", "--out-interface"],
  ].map(([chain = "", side = ""]) => [chain, side, link, "-p", "udp", "--dport", VXLAN_PORT, "-j", "DROP"]);
  const each = async (what: string) => {
    for (const rule of rules) await must("iptables", ["--wait", what, ...rule]);
  };
  await each("--insert");
  return undone(scope, () => each("--delete"));
}

/** The interface behind which an address is. */
async function linkTo(address: string): Promise<string> {
  return eventually(`a way to ${address}`, async () => {
    const { stdout } = await must("ip", ["route", "get", address]);
    return / dev (\S+)/.exec(stdout)?.[1];
  });
}

function undone(scope: Scope, undo: () => Promise<void>): Cut {
  let done: Promise<void> | undefined;
  const mend = () => {
    done ??= undo();
    return done;
  };
  scope.after(mend);
  return { mend };
}
