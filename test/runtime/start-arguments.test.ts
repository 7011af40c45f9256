// The arguments of `npm start`: what each of them sets, and what is said to one that means nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readStartArguments } from "../../services/command-line/start-arguments.ts";
import { exitCode } from "../../services/runtime/exit.ts";
import { within } from "../tools/eventually.ts";
import { run } from "../tools/process/run.ts";

const WHOLE = ["--servers", "4", "--command", "node app.js", "--port-env", "APP_PORT", "--health=/up"];

test("each argument is a setting", () => {
  assert.deepEqual(readStartArguments(WHOLE, {}), {
    ok: true,
    settings: { SERVERS: "4", SERVER_COMMAND: "node app.js", SERVER_PORT_ENV: "APP_PORT", SERVER_HEALTH: "/up" },
  });
  assert.deepEqual(readStartArguments([], { ENGINE: "docker" }), { ok: true, settings: {} });
  const given = { SERVER_COMMAND: "node app.js" };
  assert.deepEqual(readStartArguments(["--health", "/up"], given), { ok: true, settings: { SERVER_HEALTH: "/up" } });
});

const faults: readonly (readonly [words: readonly string[], fault: RegExp])[] = [
  [
    ["--server", "4"],
    /^unknown argument "--server": behind "npm start --" stand --servers 4, --command 'node app\.js'/,
  ],
  [["app.js"], /^unknown argument "app\.js": /],
  [["--constructor", "x"], /^unknown argument "--constructor": /],
  [["--servers"], /^--servers has no value: write --servers 4, for example$/],
  [["--servers", "--command", "x"], /^--servers has no value: /],
  [["--command", " "], /^--command has no value: write --command 'node app\.js', for example$/],
  [["--command="], /^--command has no value: /],
  [["--port-env", "PORT"], /^--port-env says something of a program of yours: add --command 'node app\.js'/],
  [["--servers", "2", "--health", "/up"], /^--health says something of a program of yours: /],
];

for (const [words, fault] of faults) {
  test(`${JSON.stringify(words)} is refused with the fix`, () => {
    const read = readStartArguments(words, {});
    assert.ok(!read.ok);
    assert.match(read.fault, fault);
  });
}

test("--help names each argument, and what it does", async (t) => {
  const started = run(t, "main", { ROLE: "watchdog", ENGINE: "process" }, ["--help"]);
  const { code, stdout, stderr } = await within(20_000, "its end", started.ended);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^usage: npm start -- /);
  for (const name of ["--servers", "--command", "--port-env", "--health"])
    assert.match(stdout, new RegExp(`^ {2}${name} [^\\n]+ {2,}\\S`, "m"));
});

test("with Docker there is no argument", () => {
  const read = readStartArguments(["--servers", "4"], { ENGINE: "docker" });
  assert.match(read.ok ? "" : read.fault, /^"--servers": with Docker the Compose file says what there is/);
});

const refusals: readonly (readonly [words: readonly string[], code: number, line: RegExp])[] = [
  [["--speed"], exitCode.usage, /^evenkeel: unknown argument "--speed": .*\n$/],
  [["--servers", "65"], exitCode.settings, /^evenkeel: SERVERS="65": it must be a whole number from 1 to 64\n$/],
  [
    ["--command", "node app.js", "--port-env", "MY-PORT"],
    exitCode.settings,
    /^evenkeel: SERVER_PORT_ENV="MY-PORT": it must be a variable's name, such as PORT.*\n$/,
  ],
];

for (const [words, code, line] of refusals) {
  test(`a start with ${words.join(" ")} ends at once with ${code} and one line`, async (t) => {
    const started = run(t, "main", { ROLE: "watchdog", ENGINE: "process" }, words);
    const ended = await within(20_000, "its end", started.ended);
    assert.equal(ended.code, code);
    assert.match(ended.stderr, line);
    assert.equal(ended.stdout, "");
  });
}
