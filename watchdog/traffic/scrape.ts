// Reads /metrics of one tier's admin port, with a bound on time and bytes. What cannot be read is undefined: the next look comes soon.

import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";

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
    const text = await textOf(response);
    return response.statusCode === 200 ? text : undefined;
  } catch {
    return undefined;
  }
}

/** @returns undefined: it is too long. Leaving the loop closes the connection. */
async function textOf(response: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > BYTES_MAX) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
