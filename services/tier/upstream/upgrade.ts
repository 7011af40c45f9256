// An upgrade over node:http, WebSocket or any other protocol: a connection to a member, the request on it, and then two sockets joined
// by http-proxy until either side ends. An open upgrade is never moved; a change of the registry leaves it alone.

import { Agent, type ClientRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { ProxyServer } from "http-proxy";
import type { Settings } from "../../runtime/config.ts";
import { limitEnd, type OpenUpgrades } from "../downstream/upgrades/open-upgrades.ts";
import type { UpgradeExchange } from "../downstream/upgrades/upgrade-exchange.ts";
import type { Attempt, Send } from "../forward/send.ts";
import { failureOf } from "../rules/failures.ts";
import { responseLimits } from "../rules/head-limits.ts";
import { MARKS } from "../rules/headers.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";
import { withoutPrefix } from "../rules/routes.ts";

type Limits = Pick<Settings, "CONNECT_TIMEOUT_MS" | "IDLE_TIMEOUT_MS" | "TUNNEL_IDLE_TIMEOUT_MS">;

/** Connects beforehand, so that a member which is out of reach costs the client nothing. */
export function upgradeSender(limits: Limits, open: OpenUpgrades): Send<UpgradeExchange> {
  return (exchange, attempt) => {
    const { host, port } = attempt.member;
    const connection = connect({ host, port });
    const fail = (failure: ReturnType<typeof failureOf>, reason: string) => {
      clearTimeout(limit);
      exchange.whenEnded(undefined);
      connection
        .removeAllListeners()
        .on("error", () => {})
        .destroy();
      attempt.over({ kind: "failed", failure, reason });
    };
    const unsent = (code: string | undefined) => failureOf(code, false);
    const limit = setTimeout(
      () => fail(unsent("ETIMEDOUT"), `no connection in ${limits.CONNECT_TIMEOUT_MS} ms`),
      limits.CONNECT_TIMEOUT_MS,
    );
    exchange.whenEnded((why) => fail(why, why));
    connection.once("error", ({ code, message }: NodeJS.ErrnoException) => fail(unsent(code), code ?? message));
    connection.once("connect", () => {
      clearTimeout(limit);
      void library().then(({ createProxyServer }) => {
        if (connection.destroyed) return;
        connection.removeAllListeners("error");
        exchange.commit();
        new Tunnel({ exchange, attempt, connection, limits, open }).begin(createProxyServer());
      });
    });
  };
}

/** Loaded with the first upgrade: it takes some megabytes, and most tiers never see one. */
function library(): Promise<typeof import("http-proxy")> {
  return import("http-proxy");
}

interface TunnelParts {
  readonly exchange: UpgradeExchange;
  readonly attempt: Attempt;
  /** To the member, and this upgrade's alone. */
  readonly connection: Socket;
  readonly limits: Limits;
  readonly open: OpenUpgrades;
}

/** Asks the member for the upgrade and passes its answer on, be it 101 or a refusal. */
class Tunnel {
  readonly #parts: TunnelParts;
  #status = 0;
  #over = false;

  constructor(parts: TunnelParts) {
    this.#parts = parts;
  }

  begin(proxy: ProxyServer): void {
    const { exchange, attempt, connection } = this.#parts;
    const { message, socket, early, to, headers } = exchange.parts;
    const { host, port, strip, role } = attempt.member;
    const { headBytesMax: maxHeaderSize } = responseLimits(role === "proxy");
    // http-proxy's first pass hangs up on every protocol but WebSocket; which ones are tunnelled, the rules have decided.
    proxy._wsPasses.shift();
    proxy.on("error", (error) => this.#fail(error as NodeJS.ErrnoException));
    proxy.on("proxyReqWs", (asked) => this.#watch(asked));
    proxy.on("open", () => this.#join());
    socket.once("close", () => this.#end());
    message.url = strip === undefined ? to.path : withoutPrefix(to.path, strip);
    message.headers = { ...fold(headers), connection: "Upgrade", upgrade: message.headers.upgrade };
    const target = { protocol: "http:", host, port };
    // What it calls `ssl` are the options of its request, over TLS or not.
    const options = { target, agent: new Connected(connection), ssl: { maxHeaderSize } };
    proxy.ws(message, socket, options, early).catch(() => socket.destroy());
  }

  #watch(asked: ClientRequest): void {
    const { exchange, attempt, limits } = this.#parts;
    const { socket } = exchange.parts;
    limitWait(asked, attempt.responseTimeoutMs);
    // A client that leaves before the member has said anything would leave its request there.
    const leave = () => {
      exchange.giveUp();
      asked.destroy();
    };
    socket.once("end", leave).once("close", leave);
    asked.once("upgrade", (response) => {
      this.#strikeMarks(response);
      socket.off("end", leave).off("close", leave);
      this.#answer(101);
    });
    asked.once("response", (response) => {
      const { statusCode = 0 } = response;
      this.#strikeMarks(response);
      // From here on nothing else limits how long either side may be silent.
      socket.setTimeout(limits.IDLE_TIMEOUT_MS, () => socket.resetAndDestroy());
      socket.off("end", leave);
      socket.once("finish", () => limitEnd(socket.resume()));
      this.#answer(statusCode);
    });
  }

  /** http-proxy passes the headers on as they stand in this object. */
  #strikeMarks({ headers }: IncomingMessage): void {
    if (this.#parts.attempt.member.role !== "proxy") for (const mark of MARKS) delete headers[mark];
  }

  #answer(status: number): void {
    const { exchange, attempt } = this.#parts;
    this.#status = status;
    // A proxy passes on what its server says.
    attempt.answering(status, attempt.member.role === "proxy" ? "server-behind" : "member");
    exchange.report(status);
  }

  #join(): void {
    const { exchange, connection, limits, open } = this.#parts;
    const { socket, message } = exchange.parts;
    // http-proxy passes on an end, but not that there is nobody any more.
    socket.once("close", () => connection.destroy());
    // The client's side is enough: bytes either way pass it.
    socket.setTimeout(limits.TUNNEL_IDLE_TIMEOUT_MS, () => socket.destroy());
    const isWebSocket = message.headers.upgrade?.toLowerCase() === "websocket";
    open.add({ client: socket, member: connection, isWebSocket });
  }

  #fail({ code, message }: NodeJS.ErrnoException): void {
    const { exchange } = this.#parts;
    const failure = exchange.givenUp ?? failureOf(code, true);
    // Once joined, an error only ends the tunnel; of an answer that only its end completes, a clean end would be a lie.
    if (this.#status > 0) exchange.parts.socket.resetAndDestroy();
    else this.#settle({ kind: "failed", failure, reason: code ?? message });
  }

  #end(): void {
    const { givenUp = "client-left" } = this.#parts.exchange;
    if (this.#status > 0) this.#settle({ kind: "answered", status: this.#status });
    else this.#settle({ kind: "failed", failure: givenUp, reason: givenUp });
  }

  #settle(outcome: AttemptOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.attempt.over(outcome);
  }
}

/** Hands out the one connection that there is. */
class Connected extends Agent {
  readonly #connection: Socket;

  constructor(connection: Socket) {
    super();
    this.#connection = connection;
  }

  override createConnection(): Socket {
    return this.#connection;
  }
}

function limitWait(asked: ClientRequest, limitMs: number): void {
  const late = Object.assign(new Error(`nothing in ${limitMs} ms`), { code: "ETIMEDOUT" });
  const limit = setTimeout(() => asked.destroy(late), limitMs);
  const over = () => clearTimeout(limit);
  asked.once("upgrade", over).once("response", over).once("close", over);
}

/** A flat header list as node:http's object; a repeated name becomes a list. */
function fold(flat: readonly string[]): NodeJS.Dict<string | string[]> {
  // A header may be called __proto__.
  const folded: NodeJS.Dict<string | string[]> = Object.create(null);
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const name = (flat[index] as string).toLowerCase();
    const value = flat[index + 1] as string;
    const before = folded[name];
    folded[name] = before === undefined ? value : [before, value].flat();
  }
  return folded;
}
