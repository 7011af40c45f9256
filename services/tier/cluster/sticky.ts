// Pure. Sticky sessions: a cookie that says which member a client's earlier requests went to.

/** By setting, as in the header (RFC 6265bis section 4.1.2.7). */
const SAME_SITE = { lax: "Lax", strict: "Strict", none: "None" } as const;
type SameSite = keyof typeof SAME_SITE;

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

export interface Binding {
  readonly name: string;
  readonly member: string;
  /** Has the client come over TLS? */
  readonly secure: boolean;
  readonly sameSite: SameSite;
}

/** The Set-Cookie value that binds a client to a member until its browser closes (RFC 6265 section 4.1). */
export function bindTo({ name, member, secure, sameSite }: Binding): string {
  // Browsers drop a cookie with None that has come without TLS.
  const site = SAME_SITE[sameSite === "none" && !secure ? "lax" : sameSite];
  return `${name}=${member}; Path=/; HttpOnly; SameSite=${site}${secure ? "; Secure" : ""}`;
}
