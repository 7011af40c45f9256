// The image's HEALTHCHECK: does this container's member answer /healthz? A watchdog is asked /readyz instead, so that
// `docker compose up --wait` returns when traffic flows. Exit code 0 or 1.

import { readFile } from "node:fs/promises";
import { readSettings } from "./config.ts";
import { probe } from "./tier/probe.ts";

const TIMEOUT_MS = 2_000;

async function healthy(): Promise<boolean> {
  const result = readSettings();
  if (!result.ok) return false;
  const { ROLE, LISTENING_FILE, PORT, WATCHDOG_PORT } = result.settings;
  if (ROLE === "watchdog") return answers(PORT ?? WATCHDOG_PORT, "/readyz");
  if (LISTENING_FILE === undefined) return false;
  const { adminPort } = JSON.parse(await readFile(LISTENING_FILE, "utf8")) as { adminPort: number };
  return answers(adminPort, "/healthz");
}

async function answers(port: number, path: "/healthz" | "/readyz"): Promise<boolean> {
  const result = await probe({ host: "127.0.0.1", port, adminPort: port }, path, TIMEOUT_MS);
  return result.kind === "passed";
}

process.exitCode = (await healthy().catch(() => false)) ? 0 : 1;
