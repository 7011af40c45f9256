// Pure. The protocol faults of a peer. Each one ends the session: once a frame is wrong, no frame behind it can be trusted.

/** Seen in a frame alone. */
export type FrameFault =
  | "frame-type"
  | "frame-length"
  | "frame-stream"
  | "head-length"
  | "reset-reason"
  | "window-increment";

/** Seen in a frame that comes where it must not. */
export type OrderFault =
  | "hello-missing"
  | "hello-repeated"
  | "hello-version"
  | "hello-limits"
  | "head-missing"
  | "head-repeated"
  | "behind-the-end"
  | "credit-exceeded"
  | "credit-overflow"
  | "stream-after-goaway";

export type LinkFault = FrameFault | OrderFault;
