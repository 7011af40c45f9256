// Many new connections at once, on real sockets: those that a tier has not got round to accept are kept for it, and not refused.

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { within } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { named } from "../tools/http/origin.ts";
import { HOST } from "../tools/ports.ts";
import { startTier } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";

/** Above what Node would let wait. */
const CONNECTIONS = 1_000;

const LIMIT = "/proc/sys/net/core/somaxconn";
const kept = existsSync(LIMIT) ? Number(readFileSync(LIMIT, "utf8")) : 0;
const skip = kept < CONNECTIONS && `the system keeps ${kept}`;

test(`${CONNECTIONS} clients can connect to a tier that stands still, which answers when it goes on`, {
  skip,
}, async (t) => {
  const server = await named(t, "here");
  const { port, child } = await startTier(t, [entry("proxy-1", server.port)]);
  child.kill("SIGSTOP");
  t.after(() => void child.kill("SIGCONT"));
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(port, HOST).on("error", () => {}));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const connected = Promise.all(sockets.map((socket) => once(socket, "connect")));
  // A SYN that was dropped would be sent again after a second, and again after two.
  await within(10_000, "every connection", connected);
  child.kill("SIGCONT");
  assert.equal((await ask(port)).body, "here");
});
