// The seam between the clients' connections and whoever answers their requests.

import type { Duplex } from "node:stream";
import type { Transport } from "../../net/transport.ts";
import type { Fault } from "../message/faults.ts";
import type { BodyLimits } from "../parsing/body-decoder.ts";
import type { WaitLimits } from "./client-wait.ts";
import type { ServerExchange } from "./server-exchange.ts";

export interface ServerSettings extends BodyLimits, WaitLimits {
  /** How many requests of one connection are carried out at a time. */
  readonly pipelinedMax: number;
}

export interface RequestListener {
  /** Shall connections end with the answer that comes next? */
  readonly draining: boolean;
  /** One request in its turn. Its handler must be set before this returns. */
  onRequest(exchange: ServerExchange): void;
  /**
   * @param told was a request told of it, which had been carried out as far as it had come?
   * @returns the whole answer to what is no request, as latin1; the connection ends behind it
   */
  refusal(fault: Fault, told: boolean): string;
  /** The connection is another protocol's from now on, as the stream that it was. */
  onHandedOver(connection: OpenConnection, stream: Duplex): void;
  /** The connection is gone. */
  onClosed(connection: OpenConnection): void;
}

/** A client's connection from outside. */
export interface OpenConnection {
  /** Since when nothing has been under way, by monotonicMs(); undefined while something is. */
  readonly idleSinceMs: number | undefined;
  /** Ends it, and with it whatever is under way. */
  close(): void;
}

export interface ServerConnectionParts {
  readonly transport: Transport;
  readonly settings: ServerSettings;
  readonly listener: RequestListener;
}
