// The tier's side towards its clients: each request is admitted or refused, and becomes an exchange or an upgrade. Who carries these out
// is the tier's to say.

import type { Fault } from "../../http/message/faults.ts";
import type { Fields } from "../../http/message/fields.ts";
import { headerId } from "../../http/message/known-headers.ts";
import type { RequestHead } from "../../http/parsing/request-parser.ts";
import { HttpServer } from "../../http/server/http-server.ts";
import type { ServerExchange } from "../../http/server/server-exchange.ts";
import { asksForLink } from "../../link/negotiation.ts";
import { monotonicMs } from "../../runtime/clock.ts";
import type { Settings } from "../../runtime/config.ts";
import type { AccessLog } from "../forward/access-log.ts";
import { isLastForward, isUpgrade } from "../rules/request-rules.ts";
import { type Admission, type AdmissionOptions, admit } from "./admission.ts";
import type { ClientSide } from "./client-side.ts";
import { EarlyStarts } from "./early-starts.ts";
import { Exchange, type ExchangeOwner } from "./exchange.ts";
import { LinkServer } from "./links/link-server.ts";
import { CONNECT_REFUSED, type LocalReply, OPTIONS_REPLY, refusalReply, UPGRADE_UNREADABLE } from "./local-replies.ts";
import { ProxyHeaderReader } from "./proxy-header.ts";
import { endWith } from "./upgrades/open-upgrades.ts";
import { UpgradeExchange } from "./upgrades/upgrade-exchange.ts";
import { UpgradeServer } from "./upgrades/upgrade-server.ts";

/** Far above what any client's pool keeps, so that it is the client that closes, and never in the middle of a reuse. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** A head that comes more slowly than this is an attack (slowloris). */
const HEAD_TIMEOUT_MS = 10_000;
/** Above the limit of the rules, which count more closely. */
const FIELDS_WRITTEN = 16;
/** A client on the move may be silent for some seconds; a body that has dripped for so long is an attack (R-U-Dead-Yet). */
const BODY_RATE_MS = 20_000;
/** Of one connection, carried out at a time. */
const PIPELINED_MAX = 4;

export interface ListenerParts {
  readonly settings: Settings;
  readonly admission: AdmissionOptions;
  /** Does acceptDirectly() work on this Node? (net/sockets.ts) */
  readonly direct: boolean;
  /** Are links taken? Only from tiers of ours: to a client, nobody speaks them. */
  readonly takesLinks: boolean;
  /** What a head may have grown by on its way from a client. */
  readonly headBytesAdded: number;
  readonly carryOut: (exchange: Exchange) => void;
  readonly carryOutUpgrade: (exchange: UpgradeExchange) => void;
  /** A client's address has as many connections as it may. */
  readonly onConnectionRefused: () => void;
  /** Called for each request and upgrade, when it is answered. */
  readonly onAnswered: (method: string, status: number, seconds: number) => void;
  /** Absent: it is off. */
  readonly access: AccessLog | undefined;
}

interface Begun {
  /** When its head came, by monotonicMs(). */
  readonly begunMs: number;
  /** As the member got them. */
  readonly fields?: Fields;
}

export class Listener implements ExchangeOwner {
  readonly http: HttpServer;
  readonly upgrades: UpgradeServer;
  readonly links: LinkServer;
  readonly #parts: ListenerParts;
  readonly #earlyStarts: EarlyStarts;
  #inFlight = 0;

  constructor(parts: ListenerParts) {
    const { settings, admission, direct } = parts;
    const { trusted } = admission;
    const limits = {
      headBytesMax: settings.HEADER_BYTES_MAX + parts.headBytesAdded,
      fieldsMax: settings.HEADERS_MAX + FIELDS_WRITTEN,
      bodyBytesMax: settings.BODY_BYTES_MAX,
    };
    this.#parts = parts;
    this.links = new LinkServer({
      limits,
      streamsMax: settings.CONNECTIONS_MAX,
      onRequest: (client) => this.#onRequest(client),
      onFault: (fault) => this.#refused(fault),
    });
    this.upgrades = new UpgradeServer(limits);
    this.#earlyStarts = new EarlyStarts(settings.MEMBER_REQUESTS_MAX);
    this.http = new HttpServer({
      settings: {
        ...limits,
        headTimeoutMs: HEAD_TIMEOUT_MS,
        keepAliveTimeoutMs: KEEP_ALIVE_TIMEOUT_MS,
        idleTimeoutMs: settings.IDLE_TIMEOUT_MS,
        bodyBytesPerSecondMin: settings.BODY_BYTES_PER_SECOND_MIN,
        bodyRateMs: BODY_RATE_MS,
        pipelinedMax: PIPELINED_MAX,
        connectionsMax: settings.CONNECTIONS_MAX,
      },
      onRequest: (client) => this.#onConnection(client),
      // A request that was told of it is over with this status, and counted.
      refusal: (fault, told) => (told ? refusalReply(fault) : this.#refused(fault)).closingBytes,
      direct,
      ...(admission.edge && {
        perSource: {
          max: settings.CONNECTIONS_PER_CLIENT_MAX ?? Math.ceil(settings.CONNECTIONS_MAX / 2),
          isExempt: trusted,
          onRefused: parts.onConnectionRefused,
        },
      }),
      ...(settings.PROXY_PROTOCOL === "yes" && {
        prepare: (transport, serve) => {
          if (trusted(transport.remoteAddress ?? "")) new ProxyHeaderReader(transport, serve);
          else serve();
        },
      }),
    });
  }

  /** Requests that are not over. */
  get inFlight(): number {
    return this.#inFlight;
  }

  onReady(exchange: Exchange): void {
    this.#parts.carryOut(exchange);
  }

  onOver({ request, begunMs, fields }: Exchange, status: number): void {
    this.#inFlight -= 1;
    this.#answered(request, status, { begunMs, fields });
  }

  /** Over HTTP/1.1, where a connection may become another protocol's. */
  #onConnection(client: ServerExchange): void {
    const { request } = client;
    const forLink = this.#parts.takesLinks && request.upgrade && asksForLink(request.list(headerId.upgrade));
    if (forLink) this.links.take(client.handOverTransport());
    else this.#onRequest(client, client);
  }

  /** @param connection where it may be upgraded */
  #onRequest(client: ClientSide, connection?: ServerExchange): void {
    const { request } = client;
    const admission = request.method === "CONNECT" ? undefined : this.#admit(client);
    if (admission === undefined) this.#reply(client, CONNECT_REFUSED);
    else if (!admission.ok) this.#reply(client, refusalReply(admission.refusal));
    else if (isLastForward(request)) this.#reply(client, OPTIONS_REPLY);
    else if (connection !== undefined && isUpgrade(request)) this.#upgrade(connection, admission);
    else {
      this.#inFlight += 1;
      const { to, fields } = admission;
      new Exchange({ client, to, fields, owner: this, earlyStarts: this.#earlyStarts }).begin();
    }
  }

  #admit(client: ClientSide): Admission {
    return admit(client.request, client.remoteAddress, this.#parts.admission);
  }

  /** What is no request has no method, and took no time worth telling. */
  #refused(fault: Fault): LocalReply {
    this.#parts.onAnswered("", fault.status, 0);
    this.#parts.access?.refused(fault);
    return refusalReply(fault);
  }

  #reply(client: ClientSide, reply: LocalReply): void {
    reply.write(client);
    this.#answered(client.request, reply.status, { begunMs: monotonicMs() });
  }

  #upgrade(client: ServerExchange, { to, fields }: Admission & { ok: true }): void {
    const { request } = client;
    const begunMs = monotonicMs();
    this.#inFlight += 1;
    const onAnswer = (status: number) => {
      this.#inFlight -= 1;
      this.#answered(request, status, { begunMs, fields });
    };
    const connection = client.handOver();
    // Where it ends before node:http has read it, it is answered by nobody.
    const left = () => onAnswer(499);
    connection.once("close", left);
    this.upgrades.take(connection, {
      onUpgrade: ({ message, socket, early }) => {
        connection.off("close", left);
        const headers = flatOf(fields.text);
        this.#parts.carryOutUpgrade(new UpgradeExchange({ request, message, socket, early, to, headers, onAnswer }));
      },
      onRefused: (socket) => {
        connection.off("close", left);
        onAnswer(UPGRADE_UNREADABLE.status);
        endWith(socket, UPGRADE_UNREADABLE.closingBytes);
      },
    });
  }

  #answered(request: RequestHead, status: number, { begunMs, fields }: Begun): void {
    const ms = monotonicMs() - begunMs;
    this.#parts.onAnswered(request.method, status, ms / 1_000);
    this.#parts.access?.over(request, { status, ms, fields: fields?.text });
  }
}

/** Header lines as a list. */
function flatOf(lines: string): string[] {
  return lines.split("\r\n").flatMap((line) => {
    const colon = line.indexOf(":");
    return colon < 0 ? [] : [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}
