// The other side of a session's beginning: somebody has read a request for the link (negotiation.ts, `asksForLink`) on a connection,
// and gives it away.

import type { Carrier } from "./carrier.ts";
import { SWITCHING } from "./negotiation.ts";
import { Session } from "./session.ts";
import type { SessionOwner, SessionSettings } from "./session-owner.ts";

export interface LinkRequest {
  readonly carrier: Carrier;
  /** What came behind the request's head and was read. */
  readonly early: Buffer;
  readonly settings: SessionSettings;
  readonly owner: SessionOwner;
}

/** Answers with 101, and begins. */
export function acceptSession({ carrier, early, settings, owner }: LinkRequest): Session {
  carrier.writeBytes(Buffer.from(SWITCHING, "latin1"));
  const session = new Session(carrier, owner, settings);
  session.start(early);
  return session;
}
