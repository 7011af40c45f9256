// What is known of a member that goes on answering on the connections it has and takes no new ones: out of file descriptors, say.
// Probes are kept on a connection, and this is what they must not overlook.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { nowMs } from "../../services/runtime/clock.ts";
import { readSettings } from "../../services/runtime/config.ts";
import type { Found } from "../../watchdog/engines/discovery.ts";
import { Prober } from "../../watchdog/observe/prober.ts";
import { eventually } from "../tools/eventually.ts";
import { exited, running } from "../tools/watchdog/slot-states.ts";

/** More rounds than there are probes between two new connections. */
const ROUNDS = 12;

async function stage(t: TestContext) {
  let full = false;
  const server = createServer((_request, response) => response.end("ready\n"));
  server.on("connection", (socket: Socket) => full && socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const adminPort = (server.address() as AddressInfo).port;
  const member: Found = running("server-1", { host: "127.0.0.1", ports: { adminPort } });
  const read = readSettings({ ROLE: "watchdog" });
  assert.ok(read.ok);
  const prober = new Prober(read.settings, () => {});
  const missedIn = async (rounds: number) => {
    for (let round = 0; round < rounds; round += 1) {
      const before = prober.livenessOf("server-1").probed;
      const missed = () => prober.livenessOf("server-1").missed > 0;
      await prober.probe([member]);
      await eventually("the end of the probe", () => missed() || prober.livenessOf("server-1").probed !== before);
      if (missed()) return true;
    }
    return false;
  };
  return { prober, missedIn, member, fill: () => (full = true) };
}

test("a member that takes new connections misses nothing", async (t) => {
  const { missedIn } = await stage(t);
  assert.equal(await missedIn(ROUNDS), false);
});

test("it is known when its last probe was over, and of a member that cannot be asked nothing is", async (t) => {
  const { prober, missedIn, member } = await stage(t);
  assert.equal(prober.heardMs("server-1"), undefined);
  const beforeMs = nowMs();
  await missedIn(1);
  const heardMs = prober.heardMs("server-1") as number;
  assert.ok(heardMs >= beforeMs && heardMs <= nowMs());
  await missedIn(1);
  assert.ok((prober.heardMs("server-1") as number) >= heardMs);
  await prober.probe([{ ...member, life: exited("server-1").life }]);
  assert.equal(prober.heardMs("server-1"), undefined);
});

test("one that takes none is found out by its next probe when a tier suspects it", async (t) => {
  const { prober, missedIn, fill } = await stage(t);
  assert.equal(await missedIn(2), false);
  fill();
  assert.equal(await missedIn(2), false);
  prober.suspect("server-1");
  assert.equal(await missedIn(1), true);
});

test("the word of a tier that comes while a probe is under way is not forgotten for its answer", async (t) => {
  const { prober, missedIn, fill } = await stage(t);
  assert.equal(await missedIn(2), false);
  fill();
  const round = missedIn(1);
  prober.suspect("server-1");
  assert.equal(await round, false);
  assert.equal(await missedIn(1), true);
});

test("one that takes none is found out in time when nobody suspects it", async (t) => {
  const { missedIn, fill } = await stage(t);
  assert.equal(await missedIn(2), false);
  fill();
  assert.equal(await missedIn(ROUNDS), true);
});
