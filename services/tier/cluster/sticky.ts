// Pure. Sticky sessions: a cookie that says which member a client's earlier requests went to.

/** One cookie a tier: the role of its members is behind the name, so that both tiers can keep theirs. */
export function cookieName(setting: string, role: string): string {
  return `${setting}-${role}`;
}

/** The member that the client's cookie names. */
export function stickyMember(cookieHeader: string | undefined, name: string): string | undefined {
  for (const pair of (cookieHeader ?? "").split(";")) {
    const [key, value] = pair.split("=", 2);
    if (key?.trim() === name) return value?.trim();
  }
  return undefined;
}

/** The Set-Cookie value that binds a client to a member until its browser closes (RFC 6265 section 4.1). */
export function bindTo(name: string, member: string): string {
  return `${name}=${member}; Path=/; HttpOnly; SameSite=Lax`;
}
