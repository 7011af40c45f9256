// The logs of containers: followed for the reports on a member's stdout, or read for its last lines.

import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import type Docker from "dockerode";
import { type MemberReport, parseReport } from "../../../rules/member-reports.ts";
import { ignoring } from "../connection.ts";
import { secondsOf } from "./engine-time.ts";

const FRAME_HEAD_BYTES = 8;

interface LogFeed {
  readonly docker: Docker;
  readonly instance: string;
  /** From when on, by the engine's clock. */
  readonly sinceMs: number;
  readonly onReport: (report: MemberReport) => void;
}

/** Tells each report that a container has made since then, and makes until it ends. */
export async function followLog({ docker, instance, sinceMs, onReport }: LogFeed): Promise<void> {
  // The types know whole seconds alone.
  const since = secondsOf(sinceMs) as unknown as number;
  const options = { follow: true, stdout: true, stderr: false, since } as const;
  const stream = await docker.getContainer(instance).logs(options);
  const stdout = new PassThrough();
  docker.modem.demuxStream(stream, stdout, new PassThrough().resume());
  stream.on("end", () => stdout.end()).on("error", () => stdout.end());
  for await (const line of createInterface({ input: stdout })) {
    const report = parseReport(line);
    if (report !== undefined) onReport(report);
  }
}

/** The last lines on stdout and stderr, oldest first; none of a container that is gone. */
export async function lastLines(docker: Docker, instance: string, count: number): Promise<string[]> {
  const container = docker.getContainer(instance);
  const [inspected, bytes] = await Promise.all([
    ignoring([404], container.inspect()),
    ignoring([404, 409], container.logs({ follow: false, stdout: true, stderr: true, tail: count })),
  ]);
  if (inspected === undefined || bytes === undefined) return [];
  // Without a terminal, each piece comes behind eight bytes: the stream, three of nothing, and its length.
  const text = inspected.Config.Tty ? bytes.toString() : unframed(bytes);
  return text.split(/\r?\n/).filter(Boolean).slice(-count);
}

function unframed(bytes: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + FRAME_HEAD_BYTES <= bytes.length; ) {
    const end = at + FRAME_HEAD_BYTES + bytes.readUInt32BE(at + 4);
    pieces.push(bytes.subarray(at + FRAME_HEAD_BYTES, end));
    at = end;
  }
  return Buffer.concat(pieces).toString();
}
