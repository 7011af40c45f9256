// Pure. A host and a port as URLs and headers write them: an IPv6 address stands in brackets (RFC 3986 section 3.2.2).

/** These mean every address of the machine, and are none that can be asked. */
const EVERY_ADDRESS: readonly string[] = ["0.0.0.0", "::"];

export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

export function authorityOf(host: string, port: number): string {
  return `${bracketed(host)}:${port}`;
}

/** Where this machine reaches what listens on it. @param host what it is bound to */
export function localUrl(host: string, port: number): URL {
  return new URL(`http://${authorityOf(EVERY_ADDRESS.includes(host) ? "127.0.0.1" : host, port)}`);
}
