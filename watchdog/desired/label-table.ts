// Pure. The labels by which a service says what it is to us, as one table: what each is for, what it may be, what it is unless set.

import type * as z from "zod";
import { policies } from "../../services/runtime/policies.ts";
import { roles } from "../../services/runtime/roles.ts";
import { choice, cookie, count, duration, flag, hosts, path, port, prefix, size, weight, word } from "./label-kinds.ts";

interface Label {
  readonly schema: z.ZodType;
  readonly about: string;
  readonly example: string;
}

/** The table. Order is the order of the documentation. */
export const labelTable = {
  port: {
    schema: port,
    about:
      "Where its program listens, inside of the container. Default: the one TCP port that the image or the Compose file exposes.",
    example: "3000",
  },
  role: {
    schema: choice(roles),
    about:
      "What it is: server, where no port is set; the programs of Evenkeel itself have theirs. Default: server where a port is set.",
    example: "server",
  },
  health: {
    schema: path,
    about:
      "A path that answers 200 to 399 while it is well. Default: its HEALTHCHECK before its first request, then whether it answers at all.",
    example: "/up",
  },
  "health-timeout": {
    schema: duration,
    about: "How long an answer to that may take. Default: 400ms for a path, 2s for any answer.",
    example: "2s",
  },
  start: {
    schema: duration,
    about: "How long it may take from its start to its first answer. Default: its HEALTHCHECK's start_period and 30s.",
    example: "90s",
  },
  weight: {
    schema: weight,
    about: "Its share beside the others', 0 to 256; 0: no requests while others serve. Default: 1.",
    example: "3",
  },
  group: { schema: word, about: "The proxies of that group have it. Default: its share of all.", example: "2" },
  pool: { schema: word, about: "The servers that do the same work. Default: the service's name.", example: "web" },
  host: {
    schema: hosts,
    about: "The hosts whose requests are for it; `*.b.org`: any below b.org. Default: any.",
    example: "a.org,*.b.org",
  },
  path: { schema: prefix, about: "The path whose requests are for it, and all below. Default: any.", example: "/api" },
  strip: {
    schema: flag,
    about: "on: that path is taken off the front on the way to it. Default: off.",
    example: "on",
  },
  sticky: {
    schema: cookie,
    about: "A client's later requests go where its first went, by a cookie of this name. Default: STICKY_COOKIE.",
    example: "sid",
  },
  policy: {
    schema: choice(policies),
    about:
      "How one of its servers is chosen: round-robin, random, least-requests. Default: POLICY, else least-requests.",
    example: "least-requests",
  },
  timeout: {
    schema: duration,
    about: "How long an answer may take to begin. Default: RESPONSE_TIMEOUT_MS.",
    example: "2m",
  },
  "body-max": {
    schema: size,
    about: "The largest body of a request; past it: 413. Default: BODY_BYTES_MAX.",
    example: "10m",
  },
  network: {
    schema: word,
    about:
      "The network to reach it on, by its key in the Compose file or its name. Default: one that it shares with the tier in front.",
    example: "front",
  },
  heal: {
    schema: flag,
    about: "off: it is never recreated. on, without a port: it is healed and gets no requests. Default: on.",
    example: "on",
  },
  drain: {
    schema: duration,
    about:
      "How long what is under way there may take when it is rolled, retired or healed gently; sooner where nothing is. Default: 10s.",
    example: "5m",
  },
  "update.order": {
    schema: choice(["start-first", "stop-first"]),
    about:
      "In a roll, is the new one there before the old one goes? Default: start-first, unless only one can be there at a time, or one alone writes to a volume.",
    example: "stop-first",
  },
  "update.parallelism": {
    schema: count,
    about:
      "So many are replaced at a time in a roll, 1 to 16; with start-first so many more are there meanwhile. Default: 1.",
    example: "2",
  },
  "update.monitor": {
    schema: duration,
    about: "How long a new one has to serve in a roll before the next one's turn. Default: 2s.",
    example: "10s",
  },
  "update.failure": {
    schema: choice(["rollback", "pause"]),
    about: "What a roll does when a new one fails: rollback, or pause, so that people can look. Default: rollback.",
    example: "pause",
  },
  hold: {
    schema: duration,
    about: "How long a request may wait while Compose makes the last one anew. Default: 10s.",
    example: "30s",
  },
  reports: {
    schema: flag,
    about:
      "It writes the line that says where it listens, and answers on an admin port, as the sample servers do. Default: off.",
    example: "on",
  },
} as const satisfies Record<string, Label>;
