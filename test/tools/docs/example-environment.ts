// `.env.example`, made from the table of settings.

import { settingsTable } from "../../../services/runtime/settings-table.ts";

/** What the Compose file, the image or the watchdog gives each container of its own; the `.env` file is read by all of them. */
export const oneContainers: ReadonlySet<string> = new Set([
  ...["ROLE", "ID", "GROUP", "HOST", "PORT", "ADMIN_PORT", "BALANCER_URL", "ENGINE"],
  ...[
    "REGISTRY",
    "REGISTRY_FILE",
    "REGISTRY_URL",
    "LISTENING_FILE",
    "STOP_WITH_STDIN",
    "GUARDED",
    "WATCHDOG_USER",
    "WORKER",
  ],
  ...[
    "REPORT_NONCE",
    "LOG_FORMAT",
    "SERVERS",
    "SERVER_COMMAND",
    "SERVER_PORT_ENV",
    "SERVER_HEALTH",
    "SERVER_DIRECTORY",
  ],
  ...["STACK", "NODE_NAME", "API_TOKEN_FILE", "NOTIFY_URL_FILE"],
]);

/** The same table as the lines of an `.env` file, every setting that may stand there commented out at its default. */
export function exampleEnvironment(): string {
  const lines = Object.entries(settingsTable)
    .filter(([name]) => !oneContainers.has(name))
    .map(([name, entry]) => `# ${entry.about}\n# ${name}=${"fallback" in entry ? entry.fallback : ""}\n`);
  return `# What may stand in .env, with its default. Nothing here is needed: copy what you change.\n\n${lines.join("\n")}`;
}
