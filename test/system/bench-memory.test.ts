// What the bench says about memory rests on: a body of any size goes whole either way without being held, what is not whole is
// named, and each mark of a long run is reached before it is told.

import assert from "node:assert/strict";
import { test } from "node:test";
import { closedLoop } from "../../bench/chain/load/closed-loop.ts";
import { download, upload } from "../../bench/chain/load/large.ts";
import { long } from "../../bench/chain/memory.ts";
import { SMALL_BODY } from "../../bench/chain/origins.ts";
import type { Stack } from "../../bench/chain/stacks/stack.ts";
import { origin } from "../tools/http/origin.ts";

const BYTES = 24 * 1_048_576;
const PIECE = Buffer.alloc(65_536);

test("a large body is whole both ways, and one that is not is named", async (t) => {
  const { port } = await origin(t, async (request, response) => {
    let [got, sent] = [0, 0];
    for await (const piece of request) got += piece.length;
    if (request.method === "POST") response.end(String(request.url === "/forgetful" ? got - 1 : got));
    else {
      response.writeHead(request.url === "/none" ? 503 : 200, { "Content-Length": BYTES });
      const cut = request.url === "/cut" ? BYTES / 2 : BYTES;
      for (; sent < cut && !response.destroyed; sent += PIECE.length)
        if (!response.write(PIECE)) await new Promise((resolve) => response.once("drain", resolve));
      if (cut < BYTES) response.destroy();
    }
  });
  const said = async (way: typeof download, path: string) => (await way({ port, path, bytes: BYTES })).wrong;
  assert.equal(await said(download, "/"), "");
  assert.equal(await said(upload, "/"), "");
  assert.match(await said(download, "/cut"), /^\d+ of 25165824 bytes came$/);
  assert.match(await said(download, "/none"), /^answered "HTTP\/1\.1 503/);
  assert.match(await said(upload, "/forgetful"), /^answered HTTP\/1\.1 200 OK\r\n.*25165823$/s);
});

test("each mark of a long run is told once so many requests are done, with the memory of its tiers", async (t) => {
  let requests = 0;
  const { port } = await origin(t, (_request, response) => {
    requests += 1;
    response.end(SMALL_BODY);
  });
  const { pid } = process;
  const stack: Stack = { name: "one", about: "", command: () => Promise.reject(new Error("it runs")) };
  const system = { stack, port, children: [], pids: [pid], tiers: [{ role: "balancer" as const, pid }] };
  const parts = await long(system, { connections: 4, marks: [50, 1_500], load: closedLoop });
  assert.deepEqual(
    parts.map(({ part, wrong }) => ({ part, wrong })),
    [
      { part: "50 requests", wrong: [] },
      { part: "1,500 requests", wrong: [] },
    ],
  );
  assert.ok(requests >= 1_500, `${requests}`);
  for (const { figures } of parts) {
    assert.equal(figures.proxyMb, undefined);
    if (process.platform === "linux") assert.ok((figures.balancerMb ?? 0) > 10);
  }
});
