// The settings: what each accepts, what it is by default, and that whoever gets several wrong hears of all of them at once.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readSettings } from "../../services/runtime/config.ts";
import { roles } from "../../services/runtime/roles.ts";
import { settingsTable } from "../../services/runtime/settings-table.ts";
import { exampleEnvironment, oneContainers } from "../tools/docs/example-environment.ts";
import { must } from "../tools/process/programs.ts";
import { temporaryDirectory } from "../tools/registry.ts";

function faultsOf(environment: Record<string, string>): readonly string[] {
  const result = readSettings(environment);
  return result.ok ? [] : result.faults;
}

function settingsOf(environment: Record<string, string>) {
  const result = readSettings(environment);
  assert.ok(result.ok, result.ok ? "" : result.faults.join("; "));
  return result.settings;
}

test("every fault is reported in one go, with the name, the value and what is legal", () => {
  const environment = {
    ROLE: "nope",
    ID: "a b",
    PORT: "70000",
    PORT_RANGE: "9100-9001",
    BALANCER_URL: "ftp://x",
    CONNECT_TIMEOUT_MS: "0",
  };
  assert.deepEqual(faultsOf(environment), [
    'ROLE="nope": it must be one of watchdog, balancer, proxy, server, client',
    'ID="a b": it must be 1 to 63 letters, digits, dots, dashes or underscores',
    'PORT="70000": it must be a whole number from 0 to 65535',
    'PORT_RANGE="9100-9001": it must be two ports, the smaller first, such as 9001-9100',
    'BALANCER_URL="ftp://x": it must be an http:// or https:// address',
    'CONNECT_TIMEOUT_MS="0": it must be a whole number from 1 to 60000',
  ]);
});

test("a missing ROLE is named as not set, with the roles there are", () => {
  assert.deepEqual(faultsOf({}), ["ROLE is not set: it must be one of watchdog, balancer, proxy, server, client"]);
});

test("a fault stays one line whatever the value holds", () => {
  const [fault, ...others] = faultsOf({ ROLE: "proxy", ID: "two\nlines" });
  assert.equal(others.length, 0);
  assert.match(fault ?? "", /^ID="two\\nlines": .+$/);
});

test("a role alone is enough: everything else has a default", () => {
  for (const role of roles) assert.equal(settingsOf({ ROLE: role }).ROLE, role);
  const { GROUP, HOST, PORT, PORT_RANGE, ADMIN_PORT_RANGE, BALANCER_PORT, WATCHDOG_PORT } = settingsOf({
    ROLE: "proxy",
  });
  assert.deepEqual(
    { GROUP, HOST, PORT, PORT_RANGE, ADMIN_PORT_RANGE, BALANCER_PORT, WATCHDOG_PORT },
    {
      GROUP: undefined,
      HOST: "127.0.0.1",
      PORT: undefined,
      PORT_RANGE: undefined,
      ADMIN_PORT_RANGE: { first: 9101, last: 9200 },
      BALANCER_PORT: 8080,
      WATCHDOG_PORT: 8404,
    },
  );
});

test("a member without an ID is called by its role", () => {
  assert.equal(settingsOf({ ROLE: "balancer" }).ID, "balancer");
  assert.equal(settingsOf({ ROLE: "server", ID: "server-4" }).ID, "server-4");
});

test("an empty variable counts as unset", () => {
  const empty = Object.fromEntries(Object.keys(settingsTable).map((name) => [name, ""]));
  assert.deepEqual(settingsOf({ ...empty, ROLE: "server" }), settingsOf({ ROLE: "server" }));
});

test("what npm sets for the scripts that it runs is no setting", async () => {
  const script = "process.stdout.write(JSON.stringify(Object.keys(process.env)))";
  const { stdout } = await must("npm", ["exec", "--offline", "--call", `node -e '${script}'`]);
  const own = new Set(Object.keys(process.env));
  const added = (JSON.parse(stdout) as string[]).filter(
    (name) => !own.has(name) || /^(?:npm_|NODE$|INIT_CWD$)/.test(name),
  );
  assert.ok(added.includes("NODE") || own.has("NODE"), added.join());
  assert.deepEqual(
    added.filter((name) => name in settingsTable),
    [],
  );
});

test("a variable that is not a setting is nobody's business", () => {
  assert.deepEqual(settingsOf({ ROLE: "server", PATH: "/bin", port: "x" }), settingsOf({ ROLE: "server" }));
});

const edges: Readonly<Record<string, { good: readonly string[]; bad: readonly string[] }>> = {
  ROLE: { good: ["watchdog", "client"], bad: ["Proxy", "proxy "] },
  ID: { good: ["server-4", "a", "A.b_c-d", "x".repeat(63)], bad: ["-a", "a/b", "x".repeat(64)] },
  GROUP: { good: ["1", "blue"], bad: ["1 2", "é"] },
  PORT: { good: ["0", "65535"], bad: ["-1", "65536", "1.5", "0x50", "1e3", " 80", "99999999999"] },
  ADMIN_PORT: { good: ["0", "9101"], bad: ["65536"] },
  PORT_RANGE: {
    good: ["1-65535", "9001-9001"],
    bad: ["0-10", "9001", "9001-", "9001-65536", "9002-9001", "9001 - 9100", "9001-9100-9200"],
  },
  BALANCER_URL: { good: ["http://balancer:8080", "https://[::1]/x"], bad: ["balancer:8080", "/x", "http://"] },
  CONNECT_TIMEOUT_MS: { good: ["1", "60000"], bad: ["0", "60001", "-5", "1s"] },
  RESPONSE_TIMEOUT_MS: { good: ["1", "3600000"], bad: ["0", "3600001"] },
  DRAIN_TIMEOUT_MS: { good: ["0", "600000"], bad: ["600001", "-1"] },
  ENGINE: { good: ["docker", "process"], bad: ["podman"] },
  SERVERS: { good: ["1", "64"], bad: ["0", "65", "four"] },
  SERVER_COMMAND: { good: ["node app.js", "x".repeat(4_096)], bad: ["x".repeat(4_097)] },
  SERVER_PORT_ENV: { good: ["PORT", "_p1", "x".repeat(64)], bad: ["1PORT", "A-B", "A=B", "x".repeat(65)] },
  SERVER_HEALTH: { good: ["/", "/up?x=1"], bad: ["up", "/a b", "/é", `/${"x".repeat(256)}`] },
  STOP_WITH_STDIN: { good: ["yes", "no"], bad: ["true", "1"] },
  ACCESS_LOG: { good: ["off", "errors", "sampled", "all"], bad: ["on"] },
  ACCESS_LOG_EVERY: { good: ["1", "1000000"], bad: ["0", "1000001"] },
  LOG_FORMAT: { good: ["auto", "json"], bad: ["people"] },
  LOG_LEVEL: { good: ["debug", "silent"], bad: ["verbose"] },
};

for (const [name, { good, bad }] of Object.entries(edges)) {
  test(`${name} takes what is legal and names what is not`, () => {
    for (const value of good) assert.deepEqual(faultsOf({ ROLE: "proxy", [name]: value }), [], value);
    for (const value of bad) {
      const faults = faultsOf({ ROLE: "proxy", [name]: value });
      assert.equal(faults.length, 1, `${name}=${value} passes`);
      assert.ok(faults[0]?.startsWith(`${name}=${JSON.stringify(value)}: it must be `), faults[0]);
    }
  });
}

test("an address to notify is http or https, and a fault does not show it: it may hold a secret", () => {
  for (const url of ["http://127.0.0.1:9", "https://user:pass@hooks.example.com/services/T0?token=x"]) {
    assert.equal(settingsOf({ ROLE: "watchdog", NOTIFY_URL: url }).NOTIFY_URL, url);
  }
  assert.equal(settingsOf({ ROLE: "watchdog" }).NOTIFY_URL, undefined);
  for (const url of ["hooks.example.com/services/T0", "ftp://user:pass@example.com", "https://"]) {
    assert.deepEqual(faultsOf({ ROLE: "watchdog", NOTIFY_URL: url }), [
      "NOTIFY_URL is set and not shown: it must be an http:// or https:// address",
    ]);
  }
});

const shared = (Object.keys(settingsTable) as (keyof typeof settingsTable)[]).filter(
  (name) => !oneContainers.has(name),
);

test("the example file holds every setting that all containers may share, commented out, at its default", () => {
  const lines = exampleEnvironment().split("\n");
  const live = lines.filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(live, []);
  const written = lines.flatMap((line) => [...line.matchAll(/^# ([A-Z_]+)=(.*)$/g)]);
  const environment = Object.fromEntries(written.map(([, name, value]) => [name, value]));
  assert.deepEqual(Object.keys(environment), shared);
  assert.deepEqual(settingsOf({ ...environment, ROLE: "proxy" }), settingsOf({ ROLE: "proxy" }));
});

test("the example file says of each setting, on the line above it, what it is", () => {
  const text = exampleEnvironment();
  for (const name of shared) assert.ok(text.includes(`# ${settingsTable[name].about}\n# ${name}=`), name);
});

test("a secret may stand in a file, which is read to the end of its line, and a fault does not show it", async (t) => {
  const file = join(await temporaryDirectory(t), "token");
  const API_TOKEN = "0123456789abcdef";
  const byFile = { ROLE: "watchdog", API_TOKEN_FILE: file };
  for (const end of ["", "\n", "\r\n"]) {
    await writeFile(file, `${API_TOKEN}${end}`);
    assert.equal(settingsOf(byFile).API_TOKEN, API_TOKEN);
  }
  await writeFile(file, "https://user:pass@b.org/");
  assert.equal(settingsOf({ ROLE: "watchdog", NOTIFY_URL_FILE: file }).NOTIFY_URL, "https://user:pass@b.org/");
  await writeFile(file, "hunter2");
  const legal = "it must be 16 to 256 visible ASCII characters";
  assert.deepEqual(faultsOf(byFile), [`API_TOKEN is set and not shown: ${legal}`]);
  const both = "API_TOKEN and API_TOKEN_FILE are both set: leave one of them out";
  assert.deepEqual(faultsOf({ ...byFile, API_TOKEN }), [both]);
});

const noSecrets: readonly [what: string, make: (file: string) => Promise<unknown>, reason: string][] = [
  ["is not there", async () => {}, "it cannot be read (ENOENT)"],
  ["is empty", (file) => writeFile(file, "\n"), "it is empty"],
  ["is a directory", (file) => mkdir(file), "it is no regular file"],
  ["is a pipe that nobody writes to", (file) => must("mkfifo", [file]), "it is no regular file"],
  ["is large", (file) => writeFile(file, "x".repeat(5_000)), "it is larger than 4096 bytes"],
];

for (const [what, make, reason] of noSecrets) {
  test(`a secret's file that ${what} is one fault, which names it`, async (t) => {
    const file = join(await temporaryDirectory(t), "token");
    await make(file);
    assert.deepEqual(faultsOf({ ROLE: "watchdog", API_TOKEN_FILE: file }), [`API_TOKEN_FILE="${file}": ${reason}`]);
  });
}

test("a secret is not shown, not even when it is faulty", () => {
  assert.deepEqual(faultsOf({ ROLE: "watchdog", API_TOKEN: "hunter2" }), [
    "API_TOKEN is set and not shown: it must be 16 to 256 visible ASCII characters",
  ]);
  assert.equal(settingsOf({ ROLE: "watchdog", API_TOKEN: "0123456789abcdef" }).API_TOKEN, "0123456789abcdef");
});
