// The walk of a request, as docs/architecture.md has it and as it is: which files of a tier run from the moment when a GET comes until
// its answer has gone.

import { once } from "node:events";
import { connect } from "node:net";
import { basename } from "node:path";
import { eventually } from "../eventually.ts";
import { rawOrigin } from "../http/origin.ts";
import { HOST } from "../ports.ts";
import { startMember } from "../process/run.ts";
import { entry, registry } from "../registry.ts";
import type { Scope } from "../scope.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: example\r\n\r\n";
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/** They run by themselves, with or without a request: the registry's follower, settings, the log. */
const BESIDE = /^services\/(?:main|registry\/|runtime\/)/;

const ROUNDS = 8;

/** The names in the section's table: each row's file, and those in its last column. */
export function namesInWalk(architecture: string): string[] {
  const [, section = ""] = architecture.split(/^## The walk of a request$/m);
  const rows = [
    ...(section.split(/^## /m)[0] as string).matchAll(/^\| \d+ \| `services\/(\S+)\.ts` \|.*\| (.*?) ?\|$/gm),
  ];
  return rows
    .flatMap(([, file, helpers]) => [basename(file as string), ...(helpers as string).split(", ")])
    .filter(Boolean);
}

/** The names of the files that a GET enters at a tier that is warm, over connections that are there. */
export async function namesEntered(scope: Scope): Promise<string[]> {
  const server = await rawOrigin(scope, (socket) => socket.write(ANSWER));
  const member = await startMember(
    scope,
    { ROLE: "proxy", ID: "proxy-1", REGISTRY: JSON.stringify(registry(1, [entry("server-1", server.port)])) },
    "test/tools/docs/traced-member",
  );
  const client = connect(member.port, HOST);
  scope.after(() => void client.destroy());
  const ask = async () => {
    client.write(REQUEST);
    await once(client, "data");
  };
  const tell = async (times: number) => {
    const told = () => member.events.filter(({ event }) => event === "ran");
    member.child.stdin?.write("\n");
    await eventually("the member tells which files ran", () => told().length === times, 10_000);
    return told().at(-1)?.files as string[];
  };
  await ask();
  let entered = await tell(1);
  // What a timer runs now and then is beside the one or the other of them, and not beside all.
  for (let round = 1; round <= ROUNDS; round += 1) {
    await ask();
    const ran = new Set(await tell(round + 1));
    entered = round === 1 ? [...ran] : entered.filter((file) => ran.has(file));
  }
  return entered.filter((file) => !BESIDE.test(file)).map((file) => basename(file, ".ts"));
}
