// The id of the container that this process runs in, by what the kernel shows. Its host name will not do: anybody may set that
// (`hostname:` in a Compose file), and give two the same.

import { readFile } from "node:fs/promises";

/** Undefined outside of a container, and where the runtime leaves no trace of it. */
export async function ownContainerId(): Promise<string | undefined> {
  const [mountinfo, cgroup] = await Promise.all(["mountinfo", "cgroup"].map(ofThisProcess));
  return containerIdIn(mountinfo ?? "") ?? containerIdOfCgroup(cgroup ?? "");
}

const ofThisProcess = (name: string) => readFile(`/proc/self/${name}`, "utf8").catch(() => "");

/** By the host's file behind its /etc/hostname. */
export function containerIdIn(mountinfo: string): string | undefined {
  return /\/([0-9a-f]{64})\/(?:userdata\/)?hostname \/etc\/hostname /.exec(mountinfo)?.[1];
}

/** Shown where the container has no cgroup namespace of its own: `/docker/<id>`, or systemd's `docker-<id>.scope`. */
export function containerIdOfCgroup(cgroup: string): string | undefined {
  return /[/-]([0-9a-f]{64})(?:\.scope)?$/m.exec(cgroup)?.[1];
}
