// Loaded into every process of a system (node --import), it makes one member go bad, the one whose id is BAD_MEMBER: it serves as
// before, and writes on its stdout what the file BAD_ORDERS orders. JavaScript, for what is loaded before all else is not compiled.
//
//   endless BYTES         a line of so many bytes
//   lines COUNT RATE      so many lines, so many a second
//   suspects COUNT        so many words about members that it cannot reach, each of another name, with its own nonce and without; and
//                         between them that it listens at the watchdog's port, and that it drains
//
// What it has carried out it says in a file beside.

import { readFileSync, writeFileSync, writeSync } from "node:fs";
import { isMainThread, Worker } from "node:worker_threads";

const { ID, ROLE, BAD_MEMBER, BAD_ORDERS = "", WATCHDOG_PORT, REPORT_NONCE: nonce } = process.env;
const CHUNK = 65_536;
const STDOUT = 1;

// A thread of its own: whatever the reader does, the member serves.
if (isMainThread && ROLE !== "watchdog" && ID === BAD_MEMBER)
  new Worker(new URL(import.meta.url), { execArgv: [] }).unref();

const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function write(bytes) {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(STDOUT, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      pause(1);
    }
  }
}

const scream = {
  endless(bytes) {
    const piece = Buffer.alloc(CHUNK, "x");
    for (let left = bytes; left > 0; left -= CHUNK) write(piece);
    write(Buffer.from("\n"));
  },
  lines(count, rate) {
    const perTick = Math.ceil(rate / 100);
    const tick = Buffer.from(`${JSON.stringify({ event: "request", text: "x".repeat(70) })}\n`.repeat(perTick));
    const began = performance.now();
    for (let done = 0; done < count; done += perTick) {
      write(tick);
      pause(Math.max(0, began + (1_000 * done) / rate - performance.now()));
    }
  },
  suspects(count) {
    const time = () => new Date().toISOString();
    for (let done = 0; done < count; done += 100) {
      const suspects = Array.from({ length: 98 }, (_, at) => {
        const suspect = { event: "member-failing", member: `nobody-${done + at}`, time: time() };
        return at % 2 === 0 ? suspect : { ...suspect, nonce };
      });
      const port = Number(WATCHDOG_PORT);
      const forged = [
        { event: "listening", port, adminPort: port },
        { event: "draining", time: time() },
      ];
      write(Buffer.from([...suspects, ...forged].map((fields) => `${JSON.stringify(fields)}\n`).join("")));
    }
  },
};

if (!isMainThread) {
  for (let done = ""; ; pause(20)) {
    let order = "";
    try {
      order = readFileSync(BAD_ORDERS, "utf8");
    } catch {}
    if (order === done || !order.endsWith("\n")) continue;
    const [what, ...numbers] = order.trim().split(" ");
    scream[what](...numbers.map(Number));
    done = order;
    writeFileSync(`${BAD_ORDERS}.done`, order);
  }
}
