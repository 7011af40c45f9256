// Pure. Whether a request brings a trace that can be continued (https://www.w3.org/TR/trace-context/ sections 3.2 and 4.2). A traceparent
// that cannot be read, or two of them, is none: the trace begins anew, and what vendors said of the old one goes with it.

import { headerId } from "../../http/message/known-headers.ts";
import type { MessageHead } from "../../http/message/message-head.ts";

/** Version ff is none, and neither is an id of zeros. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
/** Only a later version than 00 may have more. */
const LENGTH = 55;

export function continuesTrace(head: MessageHead): boolean {
  const id = headerId.traceparent;
  if (!head.has(id) || (head.repeated & (1 << id)) !== 0) return false;
  const value = head.value(id) as string;
  return TRACEPARENT.test(value) && (value.length === LENGTH || !value.startsWith("00"));
}

export function hasTracestate(head: MessageHead): boolean {
  return head.value(headerId.tracestate) !== undefined;
}
