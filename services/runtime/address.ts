// Pure. A host and a port as URLs and headers write them: an IPv6 address stands in brackets (RFC 3986 section 3.2.2).

export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

export function authorityOf(host: string, port: number): string {
  return `${bracketed(host)}:${port}`;
}
