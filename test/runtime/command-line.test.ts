// What all command lines share, on the three that there are: --help says what every word and option does. And what is legal for a
// number and an address.

import assert from "node:assert/strict";
import { test } from "node:test";
import { number, UsageFault, webAddress, wholeNumber } from "../../services/command-line/command-line.ts";
import { within } from "../tools/eventually.ts";
import { run } from "../tools/process/run.ts";

for (const program of ["services/client/client", "watchdog/ctl/watchdogctl", "watchdog/chaos/chaos"]) {
  for (const help of ["--help", "-h"]) {
    test(`${program} ${help} is the usage, and what each of its options does`, async (t) => {
      const { code, stdout, stderr } = await within(20_000, "its end", run(t, program, {}, [help]).ended);
      assert.deepEqual([code, stderr], [0, ""]);
      const [usage, ...lines] = stdout.split("\n\n");
      assert.match(usage as string, /^usage: node \w+\.js /);
      const named = [...(usage as string).matchAll(/--[a-z-]+/g)].map(([option]) => option);
      assert.ok(named.length >= 2, usage);
      const explained = [...lines.join("\n").matchAll(/^ {2}(--[a-z-]+)[^\n]*? {2,}\S+ \S+/gm)].map(
        ([, option]) => option,
      );
      assert.deepEqual([...explained].sort(), [...new Set([...named, "--help"])].sort());
      for (const line of lines.join("\n").split("\n")) assert.ok(line.length <= 110, line);
    });
  }
}

test("--help wins over wrong words and faulty settings", async (t) => {
  const ended = run(t, "watchdog/ctl/watchdogctl", { WATCHDOG_PORT: "many" }, ["--speed", "--help"]).ended;
  assert.equal((await within(20_000, "its end", ended)).code, 0);
});

const limits = { least: 1, most: 5 };
const fault = (message: string) => (error: unknown) => {
  assert.ok(error instanceof UsageFault);
  assert.equal(error.message, message);
  return true;
};

for (const word of ["1.5", "-1", "", "0x3", "1e3", " 1"]) {
  test(`${JSON.stringify(word)} is no whole number`, () => {
    const message = `--n ${word}: it must be a whole number from 1 to 5`;
    assert.throws(() => wholeNumber("--n", word, limits), fault(message));
  });
}

for (const word of ["0", "6", "99999999999999999999"]) {
  test(`${word} is no whole number from 1 to 5`, () => {
    const message = `--n ${word}: it must be a whole number from 1 to 5`;
    assert.throws(() => wholeNumber("--n", word, limits), fault(message));
  });
}

test("a number has up to three places after its point, a whole one none", () => {
  assert.equal(number("--n", "1.125", limits), 1.125);
  assert.equal(wholeNumber("--n", "5", limits), 5);
  assert.throws(() => number("--n", "1.1255", limits), UsageFault);
});

for (const word of ["localhost:8080", "nowhere", "ftp://127.0.0.1", "http://", "//127.0.0.1", "", "127.0.0.1:80"]) {
  test(`${JSON.stringify(word)} is no address`, () => {
    assert.throws(() => webAddress("--url", word), fault(`--url ${word}: it must be an http:// or https:// address`));
  });
}

test("an address has one of the schemes that are legal", () => {
  assert.equal(webAddress("--url", "https://127.0.0.1/x?y").href, "https://127.0.0.1/x?y");
  assert.throws(
    () => webAddress("--url", "https://127.0.0.1", ["http"]),
    fault("--url https://127.0.0.1: it must be an http:// address"),
  );
});
