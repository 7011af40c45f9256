// Where Evenkeel knowingly differs from nginx and HAProxy, each with its argument. A case that is in this list and does not
// differ any more fails, so that the list stays true.

export interface Difference {
  /** What the case's name begins with. */
  readonly of: string;
  readonly argument: string;
}

const CLOSES_BEHIND =
  "node:http loses what comes behind an upgrade that is declined, so we close the connection instead.";

export const differences: readonly Difference[] = [
  {
    of: "10. OPTIONS of an absolute target without a path",
    argument:
      "RFC 9112 section 3.2.4 has the last proxy send `*`; nginx sends `/`, HAProxy refuses the differing Host.",
  },
  { of: "32. h2c is declined", argument: CLOSES_BEHIND },
  { of: "32. TLS and other versions", argument: CLOSES_BEHIND },
  { of: "32. a request with a body keeps it", argument: CLOSES_BEHIND },
  { of: "32. a chunked request keeps its body", argument: CLOSES_BEHIND },
];
