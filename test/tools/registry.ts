// Registry documents made by hand, and a directory of the test's own to keep them in.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Registry, RegistryMember } from "../../services/registry/document.ts";
import type { Scope } from "./scope.ts";

const WRITTEN_AT = "2026-11-22T12:00:00.000Z";

export function registry(version: number, members: readonly RegistryMember[]): Registry {
  return { schema: 1, version, writtenAt: WRITTEN_AT, members };
}

/** A serving member on 127.0.0.1; its role is read from its id, as in server-4. */
export function entry(id: string, port: number, changes: Partial<RegistryMember> = {}): RegistryMember {
  const role = id.startsWith("proxy") ? "proxy" : "server";
  return { id, role, group: "1", host: "127.0.0.1", port, state: "serving", ...changes };
}

/** Removed, with what is in it, when the test is over. */
export async function temporaryDirectory(scope: Scope): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "evenkeel-test-"));
  scope.after(() => rm(path, { recursive: true, force: true }));
  return path;
}
