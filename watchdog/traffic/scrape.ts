// Reads /metrics of one tier's admin port, with a bound on time and bytes. What cannot be read is undefined: the next look comes soon.

import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { readWithin } from "../../services/runtime/bounded-read.ts";

export interface ScrapePlace {
  readonly host: string;
  readonly port: number;
}

/** Many times what a tier over two hundred members writes. */
const BYTES_MAX = 8 * 1_048_576;
const WITHIN_MS = 1_500;

const agent = new Agent({ keepAlive: true });

/** Never rejects. */
export async function scrape({ host, port }: ScrapePlace): Promise<string | undefined> {
  try {
    const request = get({ host, port, path: "/metrics", agent, signal: AbortSignal.timeout(WITHIN_MS) });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const text = await readWithin(response, BYTES_MAX);
    return response.statusCode === 200 ? text?.toString() : undefined;
  } catch {
    return undefined;
  }
}
