// Pure. What a process of ours can be, and which of these stand in the registry because traffic goes through them.

/** In the order in which a request passes them; also the order in which they stop, so that what is in flight finds its way. */
export const trafficRoles = ["balancer", "proxy", "server"] as const;
export type TrafficRole = (typeof trafficRoles)[number];

export const roles = ["watchdog", ...trafficRoles, "client"] as const;
export type Role = (typeof roles)[number];

/** What fills a slot: a process of ours, or a service that is healed and gets no traffic. */
export const slotRoles = [...roles, "worker"] as const;
export type SlotRole = (typeof slotRoles)[number];

export function isRole(text: string | undefined): text is Role {
  return (roles as readonly (string | undefined)[]).includes(text);
}

export function takesTraffic(role: string): role is TrafficRole {
  return (trafficRoles as readonly string[]).includes(role);
}

/** The pool of our own sample servers, whose registry entries name none. */
export const OWN_POOL = "servers";
