// Every setting: its name, type, default, unit and check. config.ts reads them. `.env.example` and the table in
// docs/configuration.md are made from this table and tested against it.

import * as z from "zod";
import { policies } from "./policies.ts";
import { roles } from "./roles.ts";
import {
  addressRanges,
  httpUrl,
  integer,
  name,
  oneOf,
  port,
  portRange,
  requestPath,
  shellCommand,
  variable,
} from "./setting-kinds.ts";

export interface Setting<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** As the environment would write it; undefined: no default. */
  readonly fallback?: string;
  readonly about: string;
  /** Never shown, not even in a fault. */
  readonly secret?: boolean;
}

const setting = <Schema extends z.ZodType>(schema: Schema, about: string, fallback: string) => ({
  schema,
  about,
  fallback,
});
const optional = <Schema extends z.ZodType>(schema: Schema, about: string) => ({ schema: schema.optional(), about });
const secret = <Schema extends z.ZodType>(schema: Schema, about: string) => ({
  ...optional(schema, about),
  secret: true,
});

/** The table. Order is the order of the documentation. */
export const settingsTable = {
  ROLE: { schema: oneOf(roles), about: "What this process does: watchdog, balancer, proxy, server or client." },
  ID: optional(name, "The member's stable name, such as server-4. Default: the role."),
  GROUP: optional(
    name,
    "The group of servers a proxy routes to, or a server belongs to. Default: its share by the registry.",
  ),
  NODE_NAME: optional(
    name,
    "The machine that a tier is on: members there get its requests while enough of them serve. Default: all are alike to it.",
  ),
  HOST: setting(z.string().min(1), "The address to bind. The image sets 0.0.0.0.", "127.0.0.1"),
  PORT: optional(port, "Fixes the port. Default: the first free one of PORT_RANGE."),
  PORT_RANGE: optional(portRange, "Where to look for a port. Default: 8081-8180 for proxies, 9001-9100 for servers."),
  ADMIN_PORT: optional(port, "Fixes the admin port. Default: the first free one of ADMIN_PORT_RANGE."),
  ADMIN_PORT_RANGE: setting(portRange, "Where to look for an admin port.", "9101-9200"),
  BALANCER_PORT: setting(port, "The balancer's port; with Compose, the one published on the host.", "8080"),
  WATCHDOG_PORT: setting(port, "The watchdog's port; with Compose, the one published on 127.0.0.1.", "8404"),
  API_TOKEN: secret(
    z.string().regex(/^[\x21-\x7e]{16,256}$/, "must be 16 to 256 visible ASCII characters"),
    "Whoever sends these 16 to 256 characters as a Bearer may give the watchdog orders from afar. Default: nobody may.",
  ),
  API_TOKEN_FILE: optional(
    z.string().min(1),
    "A file that holds API_TOKEN, such as /run/secrets/api-token, in its place.",
  ),
  BALANCER_URL: optional(httpUrl, "Where the client sends its requests. Default: BALANCER_PORT on this machine."),
  REGISTRY: optional(z.string().min(1), "The registry document itself; the watchdog sets it on what it creates."),
  REGISTRY_FILE: setting(
    z.string().min(1),
    "The registry's file, in a mounted directory.",
    "/run/evenkeel/registry.json",
  ),
  REGISTRY_URL: optional(
    httpUrl,
    "A watchdog's /registry, which a tier follows that shares no file with it: http://watchdog:8404/registry.",
  ),
  POLICY: optional(
    oneOf(policies),
    "How a tier chooses: round-robin, random or least-requests. Default: round-robin among proxies, random among samples, least-requests among an app's servers.",
  ),
  STICKY_COOKIE: optional(
    z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, dashes or underscores"),
    "Sends a client's later requests where its first went, by this cookie with the member's role behind its name.",
  ),
  STICKY_COOKIE_SAMESITE: setting(
    oneOf(["lax", "strict", "none"]),
    "SameSite of that cookie: lax, strict or none; none needs TLS in front. It is Secure where a trusted proxy says https.",
    "lax",
  ),
  MEMBER_REQUESTS_MAX: setting(
    integer(1, 1_000_000),
    "Most requests a tier has at one server at a time; at a proxy, as many as at its servers together.",
    "256",
  ),
  QUEUE_MAX: setting(integer(0, 1_000_000), "Most requests that wait when every member is full; past it: 503.", "1024"),
  HELD_MAX: setting(
    integer(0, 1_000_000),
    "Most requests that wait at the balancer while their servers are made anew; past it: 503.",
    "4096",
  ),
  QUEUE_TIMEOUT_MS: setting(integer(1, 600_000), "Longest wait for a place at a member, in ms; past it: 503.", "5000"),
  BREAKING_RETRIES_MAX: setting(
    integer(0, 2),
    "Most further attempts for a request over which members died or hung: it may be what breaks them.",
    "1",
  ),
  CONNECT_TIMEOUT_MS: setting(integer(1, 60_000), "Longest wait for a connection to a member, in ms.", "1000"),
  RESPONSE_TIMEOUT_MS: setting(integer(1, 3_600_000), "Longest wait for a response's head, in ms.", "30000"),
  IDLE_TIMEOUT_MS: setting(
    integer(1_000, 86_400_000),
    "Longest silence on a connection in the middle of a request or an answer, in ms.",
    "300000",
  ),
  TUNNEL_IDLE_TIMEOUT_MS: setting(
    integer(1_000, 86_400_000),
    "Longest silence on an upgraded connection, in ms.",
    "3600000",
  ),
  HEADER_BYTES_MAX: setting(
    integer(1_024, 1_048_576),
    "Largest head of a request, in bytes; past it: 431, or 414 where its first line alone is larger.",
    "16384",
  ),
  HEADERS_MAX: setting(integer(10, 10_000), "Most headers of a request; past it: 431.", "100"),
  BODY_BYTES_MAX: setting(integer(0, 9_999_999_999), "Largest body of a request, in bytes; past it: 413. 0: any.", "0"),
  CONNECTIONS_MAX: setting(
    integer(1, 1_000_000),
    "Most connections of clients at one time; from 90 % on the idlest are closed for new ones.",
    "10000",
  ),
  CONNECTIONS_PER_CLIENT_MAX: optional(
    integer(1, 1_000_000),
    "Most connections of one client address (IPv6: /64) at the balancer; new ones past it are closed. Trusted proxies may have any. Default: half of CONNECTIONS_MAX.",
  ),
  BODY_BYTES_PER_SECOND_MIN: setting(
    integer(0, 1_000_000_000),
    "Least rate of a request body with a length, in bytes a second over 20 s in which it was read; slower: 408. 0: any.",
    "500",
  ),
  TRUSTED_PROXIES: setting(
    addressRanges,
    "Whose X-Forwarded-For and PROXY headers the balancer believes: addresses or networks, separated by commas.",
    "",
  ),
  PROXY_PROTOCOL: setting(
    oneOf(["yes", "no"]),
    "Read a PROXY protocol header (version 1 or 2) from each trusted peer of the balancer.",
    "no",
  ),
  LINK: setting(
    oneOf(["yes", "no"]),
    "Send requests to proxies over one connection each, many at a time; no: over HTTP/1.1.",
    "yes",
  ),
  WORKERS: setting(
    integer(1, 64),
    "How many processes a balancer or a proxy is, each for a core of its own; its limits are those of all together.",
    "1",
  ),
  WORKER: optional(integer(1, 64), "The worker's number, which its primary sets."),
  DRAIN_GRACE_MS: setting(
    integer(0, 60_000),
    "How long a member told to stop goes on taking requests, so that all tiers hear of it first, in ms.",
    "500",
  ),
  DRAIN_TIMEOUT_MS: setting(
    integer(0, 600_000),
    "Longest wait for requests in flight when told to stop, in ms.",
    "8000",
  ),
  DRAIN_UPGRADES: setting(
    oneOf(["close", "wait"]),
    "What becomes of WebSockets and other upgrades at a stop: close ends them (1001), wait leaves DRAIN_TIMEOUT_MS.",
    "close",
  ),
  ENGINE: setting(
    oneOf(["docker", "process", "swarm"]),
    "What runs the members: docker, process, or swarm, which is only observed.",
    "process",
  ),
  SERVERS: setting(
    integer(1, 64),
    "How many servers there are without Docker; `npm start` takes it as `--servers`.",
    "6",
  ),
  SERVER_COMMAND: optional(shellCommand, "Without Docker, what starts each server, a program of yours: `--command`."),
  SERVER_PORT_ENV: setting(variable, "The variable that tells that program its port: `--port-env`.", "PORT"),
  SERVER_HEALTH: optional(requestPath, "A path at which that program answers 200 to 399 while it is well: `--health`."),
  SERVER_DIRECTORY: optional(
    z.string().min(1),
    "Where that program is started; `npm start` sets it to where it was called.",
  ),
  DOCKER_SOCKET: setting(
    z.string().min(1),
    "The Docker engine's socket, for ENGINE=docker and ENGINE=swarm.",
    "/var/run/docker.sock",
  ),
  COMPOSE_PROJECT_NAME: optional(name, "The Compose project to watch. Default: the watchdog's own."),
  STACK: optional(name, "The stack to watch, for ENGINE=swarm. Default: the watchdog's own."),
  PROBE_INTERVAL_MS: setting(integer(50, 60_000), "Time between two of the watchdog's rounds, in ms.", "500"),
  PROBE_TIMEOUT_MS: setting(integer(10, 60_000), "Longest wait for a member's answer to a probe, in ms.", "400"),
  PROBE_FAILURES: setting(integer(1, 100), "Probes missed in a row before a running member is replaced.", "2"),
  START_TIMEOUT_MS: setting(integer(1_000, 600_000), "Longest wait for a new member to serve, in ms.", "30000"),
  NOTIFY_URL: secret(httpUrl, "Where the watchdog posts heals, recoveries, quarantines and alerts, as JSON."),
  NOTIFY_URL_FILE: optional(z.string().min(1), "A file that holds NOTIFY_URL, in its place."),
  REPORT_NONCE: optional(
    z.string().regex(/^[\x21-\x7e]{16,64}$/, "must be 16 to 64 visible ASCII characters"),
    "What each line that the watchdog reads of a member has to hold as nonce; the watchdog sets it. Default: the host's name.",
  ),
  LISTENING_FILE: optional(z.string().min(1), "Where to leave the port and path that the image's health check asks."),
  STOP_WITH_STDIN: setting(
    oneOf(["yes", "no"]),
    "Stop when stdin closes, so that no child outlives its watchdog.",
    "no",
  ),
  GUARDED: optional(
    name,
    "The guardian's id, which it sets on its watchdog. A watchdog without one starts a guardian first.",
  ),
  WATCHDOG_USER: optional(
    z.string().regex(/^\d{1,9}:\d{1,9}$/, "must be a user's and a group's number, such as 1000:8404"),
    "Whom the guardian starts the watchdog as, behind a filter of the Docker socket. The image sets it.",
  ),
  STANDBY: setting(oneOf(["yes", "no"]), "A watchdog that leads only until another one that stands by can.", "no"),
  CHAOS: setting(
    oneOf(["yes", "no"]),
    "Open a Docker socket of its own for the chaos command, in the watchdog's container.",
    "no",
  ),
  ACCESS_LOG: setting(
    oneOf(["off", "errors", "sampled", "all"]),
    "Which requests a tier logs: errors: answered with a 5xx, or not at the first attempt; sampled: these and one in ACCESS_LOG_EVERY.",
    "off",
  ),
  ACCESS_LOG_EVERY: setting(
    integer(1, 1_000_000),
    "Of how many requests one is logged where ACCESS_LOG is sampled.",
    "100",
  ),
  LOG_FORMAT: setting(
    oneOf(["auto", "json"]),
    "How npm start writes its log: auto: for people on a terminal, JSON in a pipe; json: JSON on a terminal too.",
    "auto",
  ),
  LOG_LEVEL: setting(oneOf(["debug", "info", "warn", "error", "silent"]), "The least severe event to log.", "info"),
} as const satisfies Record<string, Setting<z.ZodType>>;
