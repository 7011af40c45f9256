// Takes a project of a test run away when that run can no longer do it itself, because somebody interrupted or killed it. A
// process of its own waits beside it: its stdin ends with the run, however that ends.

import { spawn } from "node:child_process";

/** Until nothing is left: a `docker compose up` that was under way may still make something, and so may a watchdog. */
const SCRIPT = `
cat >/dev/null
of="label=com.docker.compose.project=$1"
for pass in 1 2 3 4 5 6 7 8 9 10; do
  docker ps --all --quiet --filter "$of" | xargs -r docker rm --force --volumes
  docker network ls --quiet --filter "$of" | xargs -r docker network rm
  docker volume ls --quiet --filter "$of" | xargs -r docker volume rm
  sleep 1
done
docker rmi --force "$1"
`;

/** @param project its name is that of its image too */
export function reapWhenKilled(project: string): void {
  // A group of its own: Ctrl-C is for all of the terminal's.
  const reaper = spawn("sh", ["-c", SCRIPT, "sh", project], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  reaper.unref();
  (reaper.stdin as unknown as { unref(): void }).unref();
}
