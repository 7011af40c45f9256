// Pure. What can be wrong with what the other side sends. Each fault ends the session: where one frame is not to be trusted, none
// behind it is.

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
