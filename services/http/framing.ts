// Pure. Has a message a body, and of which length (RFC 9112 section 6.3)? The one answer: two answers that differ are how request
// smuggling begins. What is faulty framing is refused elsewhere (tier/rules/request-rules.ts); this reads what passed.

export type Framing =
  | { readonly kind: "none" }
  /** In bytes, at least 1. */
  | { readonly kind: "length"; readonly bytes: number }
  /** Ends with its last chunk, or for a response with the connection. */
  | { readonly kind: "unknown-length" };

/** How a request is framed. @param headers flat: name, value, name, value */
export function requestFraming(headers: readonly string[]): Framing {
  if (transferCodings(headers).length > 0) return { kind: "unknown-length" };
  const bytes = contentLength(headers);
  return bytes > 0 ? { kind: "length", bytes } : { kind: "none" };
}

/** No response with this status has a body, whatever its headers say; nor has any to a HEAD request. */
export function hasNoBody(status: number, method: string): boolean {
  return status < 200 || status === 204 || status === 304 || method === "HEAD";
}

/** RFC 9110 section 8.6: neither has a Content-Length; one that says so would desynchronise the connection. */
export function hasNoLength(status: number): boolean {
  return status < 200 || status === 204;
}

/** Is it a response whose end can be found? A coding other than chunked would be passed on as if it were the body. */
export function isReadable(status: number, headers: readonly string[]): boolean {
  const codings = transferCodings(headers);
  return status >= 100 && (codings.length === 0 || (codings.length === 1 && codings[0] === "chunked"));
}

/** Of all Transfer-Encoding headers, in order, in lower case. */
export function transferCodings(headers: readonly string[]): string[] {
  return valuesOf(headers, "transfer-encoding").flatMap((value) =>
    value.split(",").map((coding) => coding.trim().toLowerCase()),
  );
}

/** In bytes; 0 where there is none. */
export function contentLength(headers: readonly string[]): number {
  return Number(valuesOf(headers, "content-length").at(-1) ?? 0);
}

function valuesOf(headers: readonly string[], wanted: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if ((headers[index] as string).toLowerCase() === wanted) values.push(headers[index + 1] as string);
  }
  return values;
}
