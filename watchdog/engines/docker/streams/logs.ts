// The logs of containers: followed for the reports on a member's stdout, or read for its last lines.

import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { nowMs } from "../../../../services/runtime/clock.ts";
import type { ReportChannel } from "../../../rules/report-channel.ts";
import { readPaced } from "../../paced-reading.ts";
import { ignoring } from "../connection.ts";
import { secondsOf } from "./engine-time.ts";
import { LogFrames, unframed } from "./log-frames.ts";

interface LogFeed {
  readonly docker: Docker;
  readonly instance: string;
  /** Has it a terminal? Then its log comes without frames. */
  readonly tty: boolean;
  /** From when on, by the engine's clock. */
  readonly sinceMs: number;
  readonly channel: ReportChannel;
}

/** Gives the channel what a container has written on stdout since then, and writes until it ends. */
export async function followLog({ docker, instance, tty, sinceMs, channel }: LogFeed): Promise<void> {
  // The types know whole seconds alone.
  const since = secondsOf(sinceMs) as unknown as number;
  const options = { follow: true, stdout: true, stderr: false, since } as const;
  const stream = (await docker.getContainer(instance).logs(options)) as unknown as Readable;
  const frames = new LogFrames();
  const take = (part: Buffer) => channel.push(part, nowMs());
  await readPaced(stream, tty ? take : (piece) => frames.push(piece, take));
  channel.end(nowMs());
}

/** The last lines on stdout and stderr, oldest first; none of a container that is gone. */
export async function lastLines(docker: Docker, instance: string, count: number): Promise<string[]> {
  const container = docker.getContainer(instance);
  const [inspected, bytes] = await Promise.all([
    ignoring([404], container.inspect()),
    ignoring([404, 409], container.logs({ follow: false, stdout: true, stderr: true, tail: count })),
  ]);
  if (inspected === undefined || bytes === undefined) return [];
  const text = inspected.Config.Tty ? bytes.toString() : unframed(bytes);
  return text.split(/\r?\n/).filter(Boolean).slice(-count);
}
