// Pure. Why a message cannot be read, each fault with its rule's name and what a client is told. A fault in a response has the
// same names; whoever asked for it answers with a status of its own.

export interface Fault {
  readonly status: number;
  /** The rule's name, for X-LB-Error. All that breaks the grammar has one. */
  readonly rule: string;
  /** One line for whoever sent it. */
  readonly reason: string;
}

export const faults = {
  requestLine: syntax("the request line is no method, target and version (RFC 9112 section 3)"),
  methodCase: syntax("the method is a known one but for its case, which a server may not heed (RFC 9110 section 9.1)"),
  target: {
    status: 400,
    rule: "target",
    reason: "the request target has a byte that none may have (RFC 9112 section 3.2)",
  },
  targetTooLong: {
    status: 414,
    rule: "target-too-long",
    reason: "the request line is too long (RFC 9110 section 15.5.15)",
  },
  // llhttp reads `GET /x` and even headers and a body behind it as HTTP/0.9 (nodejs/llhttp#877): a smuggler's gift.
  versionUnreadable: {
    status: 400,
    rule: "http-version-unreadable",
    reason: "the request line names no HTTP/1 version (RFC 9112 section 2.3)",
  },
  version: {
    status: 505,
    rule: "http-version",
    reason: "only HTTP/1.0 and HTTP/1.1 are understood (RFC 9110 section 15.6.6)",
  },
  statusLine: syntax("the status line is none (RFC 9112 section 4)"),

  lineEnd: syntax("a line does not end in CR and LF (RFC 9112 section 2.2)"),
  fieldName: syntax("a header line does not begin with a name and a colon (RFC 9112 section 5)"),
  fieldValue: syntax("a header value has a control character (RFC 9110 section 5.5)"),
  fieldsTooMany: { status: 431, rule: "headers", reason: "there are too many headers (RFC 6585 section 5)" },
  headTooLarge: { status: 431, rule: "headers", reason: "the headers are too large (RFC 6585 section 5)" },

  hostRepeated: { status: 400, rule: "host-repeated", reason: "there is more than one Host (RFC 9112 section 3.2)" },
  hostMissing: { status: 400, rule: "host-missing", reason: "there is no Host (RFC 9112 section 3.2)" },
  hostInvalid: {
    status: 400,
    rule: "host-invalid",
    reason: "the Host is no host name of at most 255 bytes with an optional port (RFC 9112 section 3.2)",
  },

  lengthRepeated: syntax("there is more than one Content-Length (RFC 9112 section 6.3)"),
  lengthInvalid: syntax("the Content-Length is no number of bytes (RFC 9112 section 6.3)"),
  lengthAndCoding: syntax("there are Content-Length and Transfer-Encoding, of which one lies (RFC 9112 section 6.3)"),
  codingIn10: {
    status: 400,
    rule: "transfer-encoding-in-1.0",
    reason: "Transfer-Encoding in an HTTP/1.0 message is faulty framing (RFC 9112 section 6.1)",
  },
  codingEndless: syntax("the last transfer coding is not chunked, so the body has no end (RFC 9112 section 6.3)"),
  // We would strip the framing of a coding that we do not know, and forward what is inside as if it were the body.
  codingUnknown: {
    status: 501,
    rule: "transfer-coding",
    reason: "no transfer coding but chunked is understood (RFC 9112 section 6.1)",
  },

  chunkSize: syntax("a chunk's size is none (RFC 9112 section 7.1)"),
  chunkEnd: syntax("a chunk does not end where its size says (RFC 9112 section 7.1)"),
  chunkExtension: syntax("a chunk's extension has a control character (RFC 9112 section 7.1.1)"),
  chunkExtensionsTooLong: {
    status: 413,
    rule: "chunk-extensions",
    reason: "the chunks' extensions are too long (RFC 9112 section 7.1.1)",
  },
  trailerForbidden: syntax("a trailer says how to read the message (RFC 9110 section 6.5.1)"),
  bodyTooLarge: {
    status: 413,
    rule: "body-too-large",
    reason: "the body is larger than is taken here (RFC 9110 section 15.5.14)",
  },

  /** The connection ended inside the message. */
  cut: syntax("the message is not whole (RFC 9112 section 8)"),
  headLate: { status: 408, rule: "head-timeout", reason: "the headers did not come in time (RFC 9110 section 15.5.9)" },
  bodyLate: { status: 408, rule: "body-timeout", reason: "the body did not come in time (RFC 9110 section 15.5.9)" },

  informationalTooMany: syntax("there are too many responses before the final one (RFC 9110 section 15.2)"),
  switched: syntax("the protocol was changed and nobody had asked for it (RFC 9110 section 15.2.2)"),
} as const satisfies Record<string, Fault>;

function syntax(reason: string): Fault {
  return { status: 400, rule: "syntax", reason };
}
