// One HTTP request of a command line, with a time limit, and its whole answer as text. What went wrong is a value in one
// word or line, never thrown. The request path does not come here: it streams.

export interface FetchOptions {
  /** For the whole answer. */
  readonly timeoutMs: number;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** `manual`: a redirect is an answer like any other. */
  readonly redirect?: "follow" | "manual";
  /** Gives the request up earlier. */
  readonly stop?: AbortSignal;
}

export type Fetched =
  | { readonly kind: "answered"; readonly status: number; readonly headers: Headers; readonly body: string }
  /** There was no whole answer; `reason` is a code such as ECONNREFUSED where the system gave one. */
  | { readonly kind: "silent"; readonly reason: string };

/** Never rejects. */
export async function fetchText(url: URL, { timeoutMs, stop, ...options }: FetchOptions): Promise<Fetched> {
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = stop === undefined ? limit : AbortSignal.any([limit, stop]);
  try {
    const response = await fetch(url, { ...options, signal });
    const { status, headers } = response;
    return { kind: "answered", status, headers, body: await response.text() };
  } catch (error) {
    return { kind: "silent", reason: reasonOf(error) };
  }
}

/** fetch says "fetch failed", and why in its cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
