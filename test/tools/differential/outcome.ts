// What became of one case at one proxy: which requests reached the server behind it, and what they mean.

import { statusOf } from "../wire/http-bytes.ts";
import { RawClient } from "../wire/raw-client.ts";
import type { RecordingOrigin } from "../wire/recording-origin.ts";

export interface Way {
  readonly port: number;
  readonly origin: RecordingOrigin;
}

export interface Outcome {
  /** Method, target and body of each request that reached the server whole. Empty: it was refused. */
  readonly reached: readonly string[];
  /** Of the answers, as far as they could be read before the connection ended. */
  readonly statuses: readonly number[];
}

const fence = (...more: readonly string[]) =>
  `${["GET /fence HTTP/1.1", "Host: fence.test", ...more].join("\r\n")}\r\n\r\n`;

/**
 * More than any case can be waiting for: whoever takes part of it for a body or a header has to make something of the rest,
 * and the last one closes the connection. So every case ends, and nobody waits for a time limit.
 */
const REST = fence().repeat(4) + fence("Connection: close");

export async function send(bytes: string, { port, origin }: Way): Promise<Outcome> {
  const recording = origin.play();
  const client = await RawClient.to(port);
  try {
    client.send(bytes + REST);
    const { rest } = await client.ending();
    await fenced(port);
    const statuses = [...rest.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, status]) => Number(status));
    const reached = recording.whole.map(
      ({ line, body }) => `${line.replace(/ HTTP\/1\.[01]$/, "")} ${JSON.stringify(body)}`,
    );
    return { reached: [...reached, ...recording.faults.map((fault) => `(${fault})`)].sort(), statuses };
  } finally {
    client.close();
  }
}

/** All that was on its way to the server has arrived there when this has been answered. */
async function fenced(port: number): Promise<void> {
  const client = await RawClient.to(port);
  client.send(fence("Connection: close"));
  const answer = await client.final();
  client.close();
  if (statusOf(answer) !== 200) throw new Error(`the proxy no longer answers: ${answer.line}`);
}
