// The accepting side of a session. The caller has read a request for the link on a connection (negotiation.ts, `asksForLink`) and
// hands the connection over; this file answers with 101 and starts the session.

import type { Carrier } from "./carrier.ts";
import { SWITCHING } from "./negotiation.ts";
import { Session } from "./session.ts";
import type { SessionOwner, SessionSettings } from "./session-owner.ts";

export interface LinkOffer {
  readonly carrier: Carrier;
  /** Bytes that the caller has read behind the request's head. */
  readonly early: Buffer;
  readonly settings: SessionSettings;
  readonly owner: SessionOwner;
}

/** Answers with 101, and begins. */
export function acceptSession({ carrier, early, settings, owner }: LinkOffer): Session {
  carrier.writeBytes(Buffer.from(SWITCHING, "latin1"));
  const session = new Session(carrier, owner, settings);
  session.start(early);
  return session;
}
