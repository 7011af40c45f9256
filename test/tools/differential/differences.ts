// Where Evenkeel knowingly differs from nginx and HAProxy, each with its argument. A case that is in this list and does not
// differ any more fails, so that the list stays true.

export interface Difference {
  /** What the case's name begins with. */
  readonly of: string;
  readonly argument: string;
}

export const differences: readonly Difference[] = [
  {
    of: "10. OPTIONS of an absolute target without a path",
    argument:
      "RFC 9112 section 3.2.4 has the last proxy send `*`; nginx sends `/`, HAProxy refuses the differing Host.",
  },
];
