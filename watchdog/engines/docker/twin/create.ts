// Creates a container although one that is on its way out may still have its name, and removes a container until it is gone.

import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import { nowMs } from "../../../../services/runtime/clock.ts";
import { ignoring } from "../connection.ts";

/** How long a name may stay taken by a container that is being removed. */
const NAME_FREE_WITHIN_MS = 10_000;
const NAME_POLL_MS = 50;

/** @returns its id @throws the engine's refusal */
export async function createWhenFree(docker: Docker, name: string, body: Record<string, unknown>): Promise<string> {
  const deadlineMs = nowMs() + NAME_FREE_WITHIN_MS;
  for (;;) {
    try {
      return (await docker.createContainer(apart({ name }, body) as unknown as Docker.ContainerCreateOptions)).id;
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode !== 409 || nowMs() > deadlineMs) throw error;
      await delay(NAME_POLL_MS);
    }
  }
}

/**
 * Without this dockerode puts what it sends into the body and into the URL, where secrets get logged and 16 KB are too many.
 * Its types do not know it.
 */
function apart(_query: Readonly<Record<string, unknown>>, _body: Readonly<Record<string, unknown>>): object {
  return { _query, _body };
}

/**
 * Ends it outright and waits until nothing is left of it. Volumes stay.
 * @returns was it there? @throws the engine's refusal
 */
export async function removeWhole(docker: Docker, id: string): Promise<boolean> {
  const deadlineMs = nowMs() + NAME_FREE_WITHIN_MS;
  const container = docker.getContainer(id);
  for (;;) {
    try {
      return (
        (await ignoring(
          [404],
          container.remove({ force: true, v: false }).then(() => true),
        )) ?? false
      );
    } catch (error) {
      // A removal of it is under way already.
      if ((error as { statusCode?: number }).statusCode !== 409 || nowMs() > deadlineMs) throw error;
      await delay(NAME_POLL_MS);
    }
  }
}
