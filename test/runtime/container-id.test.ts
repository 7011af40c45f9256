// How a process in a container finds the container's id, from what the kernel shows it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { containerIdIn, containerIdOfCgroup } from "../../services/runtime/container-id.ts";

const id = "4f".repeat(32);

test("a container's id is the one of the file behind its host name", () => {
  const line = (root: string, place: string) => `1 2 8:1 ${root} ${place} rw,relatime - ext4 /dev/sda1 rw\n`;
  assert.equal(containerIdIn(line(`/var/lib/docker/containers/${id}/hostname`, "/etc/hostname")), id);
  assert.equal(containerIdIn(line(`/containers/storage/${id}/userdata/hostname`, "/etc/hostname")), id);
  assert.equal(containerIdIn(line(`/var/lib/docker/containers/${id}/hostname`, "/mnt/hostname")), undefined);
  assert.equal(containerIdIn(line("/", "/")), undefined);
});

test("or the one that its cgroup is named after, where that is shown", () => {
  assert.equal(containerIdOfCgroup(`12:memory:/docker/${id}\n0::/docker/${id}\n`), id);
  assert.equal(containerIdOfCgroup(`0::/system.slice/docker-${id}.scope\n`), id);
  assert.equal(containerIdOfCgroup("0::/\n"), undefined);
  assert.equal(containerIdOfCgroup("0::/user.slice/user-1000.slice/session-2.scope\n"), undefined);
});
