// The member that an upgrade goes to: chosen as a request's is, and connected to beforehand, so that one which is out of reach
// costs the client nothing. What is sent over that connection is sent once.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Member } from "../cluster/members.ts";
import { ATTEMPTS_MAX, type Failure, failureOf } from "../rules/failures.ts";

export interface Reaching {
  /** Among those that have not been tried. */
  readonly choose: (tried: readonly string[]) => Member | undefined;
  readonly connectTimeoutMs: number;
  readonly onUnreachable: (member: Member, reason: string) => void;
}

export type Reached =
  | { readonly kind: "reached"; readonly member: Member; readonly connection: Socket }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Never rejects. */
export async function reach({ choose, connectTimeoutMs, onUnreachable }: Reaching): Promise<Reached> {
  const tried: string[] = [];
  let failure: Failure = "no-member";
  while (tried.length < ATTEMPTS_MAX) {
    const member = choose(tried);
    if (member === undefined) break;
    tried.push(member.id);
    const connection = connect({ host: member.host, port: member.port });
    const signal = AbortSignal.timeout(connectTimeoutMs);
    try {
      await once(connection, "connect", { signal });
      return { kind: "reached", member, connection };
    } catch (error) {
      connection.destroy();
      const { code, message } = error as NodeJS.ErrnoException;
      failure = failureOf(signal.aborted ? "ETIMEDOUT" : code, { sent: false, started: false });
      onUnreachable(member, signal.aborted ? `no connection in ${connectTimeoutMs} ms` : (code ?? message));
    }
  }
  return { kind: "failed", failure };
}
