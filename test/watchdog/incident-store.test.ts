// The incidents that the watchdog keeps: a later one knows them and the next number, the newest 200 stay, and no file that
// somebody broke, and no directory that is gone, keeps it from going on.

import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { advanced } from "../../watchdog/incidents/course.ts";
import type { Incident } from "../../watchdog/incidents/incident.ts";
import { parseIncident, summaryOf } from "../../watchdog/incidents/record.ts";
import { Incidents } from "../../watchdog/incidents/store.ts";
import { type LogEvent, recordedLog } from "../tools/log.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { beginning, created, incidentAfter, ready, started, wholeCourse } from "../tools/watchdog/incidents.ts";

const healed = (number: number) => incidentAfter(wholeCourse, { number });
const underWay = (number: number) => incidentAfter([created], { number });
const numbers = (incidents: readonly { readonly number: number }[]) => incidents.map(({ number }) => number);
const textOf = (incident: object) => JSON.stringify(incident);

interface Place {
  readonly directory: string;
  readonly events: readonly LogEvent[];
  /** What the files hold, by name. */
  readonly files: () => Promise<Record<string, string>>;
  /** A watchdog comes, and knows what those before it kept. */
  readonly open: () => Promise<Incidents>;
}

/** @param before what lies in the directory of incidents at the start */
async function place(t: TestContext, before: Readonly<Record<string, string>> = {}): Promise<Place> {
  const registryFile = join(await temporaryDirectory(t), "registry.json");
  const directory = join(registryFile, "..", "incidents");
  const { log, events } = recordedLog();
  if (Object.keys(before).length > 0) await mkdir(directory);
  for (const [name, text] of Object.entries(before)) await writeFile(join(directory, name), text);
  const read = async (name: string) => [name, await readFile(join(directory, name), "utf8")];
  const files = async () => Object.fromEntries(await Promise.all((await readdir(directory)).map(read)));
  const open = async () => {
    const incidents = new Incidents(registryFile, log);
    await incidents.open();
    return incidents;
  };
  return { directory, events, files, open };
}

test("where there was none, there is none, and the first is number 1", async (t) => {
  const { open, events } = await place(t);
  const incidents = await open();
  assert.deepEqual([incidents.all, incidents.underWay(), await incidents.get(1)], [[], [], undefined]);
  assert.deepEqual([incidents.nextNumber(), incidents.nextNumber()], [1, 2]);
  assert.deepEqual(events, []);
});

test("an incident is known as soon as it is kept, and lies in a file of its number when keep is done", async (t) => {
  const { open, files } = await place(t);
  const incidents = await open();
  const kept = incidents.keep(underWay(7));
  assert.deepEqual(incidents.all, [summaryOf(underWay(7))]);
  assert.deepEqual(await incidents.get(7), underWay(7));
  await kept;
  assert.deepEqual(await files(), { "7.json": `${textOf(underWay(7))}\n` });
});

test("a watchdog that comes back knows all that were kept, the newest first, with their logs, and the next number", async (t) => {
  const { open, events } = await place(t);
  const first = await open();
  for (const number of [1, 2, 10, 9]) await first.keep(healed(number));
  const second = await open();
  assert.deepEqual(numbers(second.all), [10, 9, 2, 1]);
  assert.deepEqual(second.all[0], summaryOf(healed(10)));
  assert.deepEqual(await second.get(2), healed(2));
  assert.equal(second.nextNumber(), 11);
  assert.deepEqual(events, []);
});

test("the log of an incident that has ended is read from its file, by the watchdog that kept it too", async (t) => {
  const { open, directory } = await place(t);
  const incidents = await open();
  await incidents.keep(healed(7));
  assert.deepEqual(await incidents.get(7), healed(7));
  await writeFile(join(directory, "7.json"), textOf({ ...healed(7), log: ["from the file"] }));
  assert.deepEqual((await incidents.get(7))?.log, ["from the file"]);
  assert.ok(!("log" in (incidents.all[0] as object)));
});

test("those that a killed watchdog left under way are told apart, the oldest first, and can go on", async (t) => {
  const { open } = await place(t);
  const killed = await open();
  for (const number of [12, 3, 5]) await killed.keep(number === 5 ? healed(5) : underWay(number));
  const incidents = await open();
  assert.deepEqual(incidents.underWay(), [underWay(3), underWay(12)]);
  await incidents.keep(wholeCourse.reduce(advanced, incidents.underWay()[0] as Incident));
  assert.deepEqual(numbers(incidents.underWay()), [12]);
  assert.deepEqual(numbers((await open()).underWay()), [12]);
  assert.deepEqual(await (await open()).get(3), healed(3));
});

test("of several keeps in quick succession the last one is on disk", async (t) => {
  const { open, files } = await place(t);
  const incidents = await open();
  const courses = [1, 2, 3].map((number) =>
    [[], [created], [created, started], [created, started, ready], wholeCourse].map((steps) =>
      incidentAfter(steps, { number }),
    ),
  );
  await Promise.all(courses.flat().map((incident) => incidents.keep(incident)));
  assert.deepEqual(
    await files(),
    Object.fromEntries([1, 2, 3].map((number) => [`${number}.json`, `${textOf(healed(number))}\n`])),
  );
  assert.deepEqual(await incidents.get(2), healed(2));
});

test("a keep that comes while an older one is being written comes last", async (t) => {
  const { open, files } = await place(t);
  const incidents = await open();
  const older = incidents.keep(underWay(7));
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  await Promise.all([older, incidents.keep(healed(7))]);
  assert.equal((await files())["7.json"], `${textOf(healed(7))}\n`);
});

test("the newest 200 are kept, in memory and on disk", async (t) => {
  const { open, files } = await place(t);
  const incidents = await open();
  await Promise.all(Array.from({ length: 203 }, (_, index) => incidents.keep(healed(index + 1))));
  const newest = Array.from({ length: 200 }, (_, index) => 203 - index);
  assert.deepEqual(numbers(incidents.all), newest);
  assert.deepEqual(numbers((await open()).all), newest);
  assert.equal(Object.keys(await files()).length, 200);
  assert.equal(await incidents.get(3), undefined);
});

test("files over the 200 that lie there at the start are removed, the oldest ones, readable or not", async (t) => {
  const before = Object.fromEntries(Array.from({ length: 205 }, (_, index) => [`${index + 1}.json`, "{}"]));
  const { open, files } = await place(t, { ...before, "205.json": textOf(healed(205)) });
  const incidents = await open();
  assert.deepEqual(numbers(incidents.all), [205]);
  const names = Object.keys(await files());
  assert.equal(names.length, 200);
  assert.ok(!names.includes("5.json") && names.includes("6.json"));
});

const broken: readonly [string, string, RegExp][] = [
  ["an empty file", "", /^it is not JSON$/],
  ["half a file", textOf(healed(9)).slice(0, 60), /^it is not JSON$/],
  ["a number", "7", /^the document: /],
  ["an incident of another number", textOf(healed(8)), /^it is number 8$/],
  ["an outcome that nobody knows", textOf({ ...healed(9), outcome: "lost" }), /^outcome: /],
  ["no times", textOf({ ...healed(9), times: undefined }), /^times: /],
  ["a time in words", textOf({ ...healed(9), times: { ...healed(9).times, readyMs: "soon" } }), /^times\.readyMs: /],
  ["more log than there can be", textOf({ ...healed(9), log: Array(201).fill("x") }), /^log: /],
];

for (const [what, text, reason] of broken) {
  test(`${what} in the place of an incident is passed over, named once, and its number is not used again`, async (t) => {
    const { open, events, directory } = await place(t, { "4.json": textOf(healed(4)), "9.json": text });
    const incidents = await open();
    assert.deepEqual(numbers(incidents.all), [4]);
    assert.equal(await incidents.get(9), undefined);
    assert.equal(incidents.nextNumber(), 10);
    const [event, ...others] = events;
    assert.deepEqual(
      [event?.event, event?.directory, event?.count, others],
      ["incidents-unreadable", directory, 1, []],
    );
    assert.match(String(event?.first).replace("9.json: ", ""), reason);
  });
}

test("what is none of ours in the directory stays as it is, and what a killed watchdog half wrote is gone", async (t) => {
  const foreign = {
    "notes.txt": "x",
    "0.json": "x",
    "-1.json": "x",
    "07.json": "x",
    "1e3.json": "x",
    "x.json.tmp": "x",
  };
  const { open, files, events, directory } = await place(t, { ...foreign, "12.json.tmp": '{"number":12,' });
  await mkdir(join(directory, "15.json"));
  const incidents = await open();
  await incidents.keep(healed(incidents.nextNumber()));
  await rm(join(directory, "15.json"), { recursive: true });
  assert.deepEqual(await files(), { ...foreign, "16.json": `${textOf(healed(16))}\n` });
  assert.deepEqual(
    events.map(({ event, first }) => [event, first]),
    [["incidents-unreadable", "15.json: EISDIR"]],
  );
});

test("a directory that is cleared away is made again", async (t) => {
  const { open, files, directory, events } = await place(t);
  const incidents = await open();
  await incidents.keep(healed(1));
  await rm(directory, { recursive: true });
  await incidents.keep(healed(2));
  assert.deepEqual(Object.keys(await files()), ["2.json"]);
  assert.deepEqual(events, []);
});

test("what cannot be written stays in memory, is complained of once, and is written when it can be", async (t) => {
  const { open, files, directory, events } = await place(t);
  await writeFile(directory, "somebody's file");
  const incidents = await open();
  for (const number of [1, 2]) await incidents.keep(healed(number));
  assert.deepEqual(numbers(incidents.all), [2, 1]);
  assert.deepEqual(await incidents.get(1), healed(1));
  assert.deepEqual(
    events.map(({ event }) => event),
    ["incidents-failing"],
  );
  assert.ok(String(events[0]?.reason).startsWith(`cannot write to ${directory} (EEXIST): `), String(events[0]?.reason));
  await rm(directory);
  await incidents.close();
  assert.deepEqual(Object.keys(await files()).sort(), ["1.json", "2.json"]);
  assert.equal(events.at(-1)?.event, "incidents-recovered");
});

test("the last 200 lines of a log are kept, and 4 KiB of each, without half a character at the end", async (t) => {
  const { open } = await place(t);
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`);
  const long = "€".repeat(2_000);
  const incidents = await open();
  await incidents.keep({ ...underWay(7), log: [...lines, long, "last"] });
  for (const each of [incidents, await open()]) {
    const { log } = (await each.get(7)) as Incident;
    assert.equal(log.length, 200);
    assert.deepEqual([log[0], log[197], log[199]], ["line 102", "line 299", "last"]);
    // Three bytes each: 1365 of them are 4095 bytes.
    assert.equal(log[198], "€".repeat(1_365));
  }
});

test("an incident that a file gives back is the one that was written", () => {
  for (const incident of [
    healed(7),
    underWay(7),
    incidentAfter([], { ...beginning, exit: { signal: "SIGKILL", oom: true } }),
  ]) {
    assert.deepEqual(parseIncident(textOf(incident)), { ok: true, incident });
  }
});
