// No database: a few numbers in a file, by HTTP. It stands for one, so that this example needs no image but Node's.
// GET /name answers the number, PUT /name sets it, POST /name adds one to it and answers what it is then.

import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const FILE = "/data/numbers.json";
const numbers = new Map(existsSync(FILE) ? Object.entries(JSON.parse(readFileSync(FILE, "utf8"))) : []);

function set(name, number) {
  numbers.set(name, number);
  writeFileSync(`${FILE}.new`, JSON.stringify(Object.fromEntries(numbers)));
  renameSync(`${FILE}.new`, FILE);
}

const server = createServer(async (request, response) => {
  const name = request.url.slice(1);
  const before = numbers.get(name) ?? 0;
  if (request.method === "PUT") set(name, Number(await text(request)));
  if (request.method === "POST") set(name, before + 1);
  response.end(String(numbers.get(name) ?? 0));
});
server.listen(5432);
process.on("SIGTERM", () => process.exit(0));
