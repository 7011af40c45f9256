// How a file is known that Compose copied into a container, and the archives in which the engine gives and takes files.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { copiedAtSeconds, type FileFacts, isCopied } from "../../watchdog/engines/docker/twin/copied-file.ts";
import { type ArchivedFile, archiveOf, fileIn } from "../../watchdog/engines/docker/twin/tar.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const times = { Created: "2026-11-27T22:25:33.609129363Z", State: { StartedAt: "2026-11-27T22:25:33.978438949Z" } };
const copied: FileFacts = { size: 7, mode: 0o444, mtime: "2026-11-27T22:25:34Z" };
const others: readonly [what: string, changes: Partial<FileFacts>][] = [
  ["the place of a mount", { size: 0 }],
  ["a directory", { mode: 0o20000000755 }],
  ["what it wrote itself", { mtime: "2026-11-27T22:25:34.130158168Z" }],
  ["what it unpacked with older times", { mtime: "2026-10-01T00:00:00Z" }],
  ["what it wrote later", { mtime: "2026-11-27T22:25:35Z" }],
];

test("what Compose copied is known by its time", () => assert.equal(isCopied(copied, times), true));

test("and so it is in a container that was never started", () => {
  const never = { ...times, State: { StartedAt: "0001-01-01T00:00:00Z" } };
  assert.equal(isCopied(copied, never), true);
  assert.equal(isCopied({ ...copied, mtime: "2026-11-27T22:27:00Z" }, never), false);
});

test("what is copied into a twin is known again there", () => {
  const mtime = new Date(copiedAtSeconds(times) * 1_000).toISOString().replace(".000Z", "Z");
  assert.equal(isCopied({ ...copied, mtime }, times), true);
});

for (const [what, changes] of others)
  test(`${what} was not copied`, () => assert.equal(isCopied({ ...copied, ...changes }, times), false));

const file = (content: string, mode = 0o640): ArchivedFile => ({ mode, uid: 0, gid: 0, content: Buffer.from(content) });
const AT = 1_700_000_000;

test("tar reads what we write, and the other way round", async (t) => {
  const directory = await temporaryDirectory(t);
  const long = `${"deep/".repeat(30)}${"n".repeat(90)}`;
  const files = new Map([
    ["/run/secrets/word", file("s3cret")],
    ["/etc/note.txt", file("x".repeat(512), 0o444)],
    [`/${long}`, file("y".repeat(513))],
  ]);
  writeFileSync(join(directory, "ours.tar"), archiveOf(files, AT) ?? "");
  mkdirSync(join(directory, "out"));
  execFileSync("tar", ["-xpf", "ours.tar", "-C", "out"], { cwd: directory });
  for (const [path, { content, mode }] of files) {
    const there = join(directory, "out", path);
    assert.deepEqual(readFileSync(there), content);
    assert.deepEqual([statSync(there).mode & 0o777, statSync(there).mtimeMs / 1_000], [mode, AT]);
  }
  for (const format of ["ustar", "pax", "gnu"]) {
    execFileSync("tar", [`--format=${format}`, "-cf", "theirs.tar", "-C", "out/etc", "note.txt"], { cwd: directory });
    const read = fileIn(readFileSync(join(directory, "theirs.tar")));
    assert.deepEqual([read?.mode, read?.content.toString()], [0o444, "x".repeat(512)], format);
  }
});

const archive = archiveOf(new Map([["a", file("hello")]]), AT) as Buffer;
const directoryAlone = Buffer.from(archive).fill("5", 156, 157);
const noNumber = Buffer.from(archive).fill("9", 124, 125);
for (const [what, bytes] of [
  ["nothing", Buffer.alloc(0)],
  ["an end alone", Buffer.alloc(1_024)],
  ["a file that is cut short", archive.subarray(0, 514)],
  ["a head that is cut short", archive.subarray(0, 500)],
  ["a directory alone", directoryAlone],
  ["a size that is no number", noNumber],
] as const)
  test(`in ${what} there is no file`, () => assert.equal(fileIn(bytes), undefined));

test("a path that no head can hold makes no archive", () => {
  assert.equal(archiveOf(new Map([["/".padEnd(300, "x"), file("")]]), AT), undefined);
});
