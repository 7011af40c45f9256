// Rows 27 and 28: answers that are none, and answers that end before they should.

import { then } from "../../wire/endings.ts";
import { OK, type Script } from "../../wire/recording-origin.ts";
import { gate } from "../../wire/waiting.ts";
import { answered, head, played, type Row, request } from "../row.ts";
import { check } from "../run-row.ts";

const chunkedHead = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");
const post = `${request("POST /", "Content-Length: 1")}x`;
const get10 = head("GET / HTTP/1.0", "Host: a.test");

/** A POST is never repeated, so one request and one 502. */
function broken(fact: string, origin: string | Script): Row {
  return answered([27, "9112 6.3", fact], origin, 502, { request: post });
}

const faulty: readonly Row[] = [
  broken(
    "a response with Content-Length and Transfer-Encoding is none",
    `${head("HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked")}2\r\nok\r\n0\r\n\r\n`,
  ),
  broken(
    "a response with two lengths is none",
    `${head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 5")}okokokok`,
  ),
  ...["2, 5", "+2", "-2", "0x2", "2 3", "", "99999999999999999999"].map((length) =>
    broken(
      `a response with Content-Length: ${JSON.stringify(length)} is none`,
      `${head("HTTP/1.1 200 OK", `Content-Length: ${length}`)}ok`,
    ),
  ),
  broken(
    "a response in a coding we do not know is none",
    `${head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked")}2\r\nok\r\n0\r\n\r\n`,
  ),
  broken(
    "a response in an unknown coding alone is none",
    then("end", `${head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip")}ok`),
  ),
  broken("a response with a folded line is none", `${head("HTTP/1.1 200 OK", "X: 1\r\n 2", "Content-Length: 2")}ok`),
  broken(
    "a response with a space before a colon is none",
    `${head("HTTP/1.1 200 OK", "X : 1", "Content-Length: 2")}ok`,
  ),
  broken("a response with NUL in a header is none", `${head("HTTP/1.1 200 OK", "X: a\0b", "Content-Length: 2")}ok`),
  broken(
    "a response with a bare CR in a header is none",
    `${head("HTTP/1.1 200 OK", "X: a\rb", "Content-Length: 2")}ok`,
  ),
  broken("a response with bare LFs is none", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
  ...["abc", "20", "2000", "099", "-20"].map((status) =>
    broken(`a status ${status} is none`, OK.replace("200", status)),
  ),
  broken("junk is no response", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
  broken("a page without a head is no response", then("end", "<html>hello</html>\r\n\r\n")),
  broken("nothing at all is no response", then("end", "")),
  broken("half a head is no response", then("end", "HTTP/1.1 200 OK\r\nContent-Le")),
  broken("a reset is no response", then("reset", "")),
  answered([27, "9110 15.2", "a 1xx alone is no response"], then("end", head("HTTP/1.1 103 Early Hints")), [103, 502], {
    request: post,
  }),
  broken(
    "a head that never ends is no response",
    head("HTTP/1.1 200 OK", `X: ${"a".repeat(70_000)}`, "Content-Length: 0"),
  ),
  broken(
    "a 101 that nobody asked for is no response",
    head("HTTP/1.1 101 Switching Protocols", "Upgrade: x", "Connection: Upgrade"),
  ),
];

/** The head has gone out, so only the connection can say that the body is not whole. */
export function truncated(fact: string, origin: Script, bytes = request("GET /")): Row {
  return answered(
    [28, "9112 8", fact],
    origin,
    { status: 200, whole: false },
    { request: bytes, after: "closed", upstream: [request("GET /")] },
  );
}

/** Only a reset can tell such an end from a clean one, and libuv reports one that comes in one poll with data as an end. */
function brokenLater(fact: string, begins: string, how: "reset" | "end", bytes = request("GET /")): Row {
  return played([28, "9112 8", fact], async ({ connect, script }) => {
    const seen = gate();
    script(async (peer) => {
      peer.send(`${begins}hello, `);
      await seen.opened;
      if (how === "reset") peer.reset();
      else peer.end();
    });
    const client = await connect();
    client.send(bytes);
    await client.has("hello");
    seen.open();
    check(await client.final(), { status: 200, whole: false });
  });
}

const short: readonly Row[] = [
  truncated(
    "a body shorter than its length is seen to be",
    then("end", `${head("HTTP/1.1 200 OK", "Content-Length: 10")}hello`),
  ),
  truncated(
    "a body broken off before its length is seen to be",
    then("reset", `${head("HTTP/1.1 200 OK", "Content-Length: 10")}hello`),
  ),
  truncated("chunks without a last one are seen to be", then("end", `${chunkedHead}5\r\nhello\r\n`)),
  truncated("chunks that break off are seen to", then("reset", `${chunkedHead}5\r\nhello\r\n`)),
  truncated("a chunk that is no chunk is seen", then("end", `${chunkedHead}5\r\nhello\r\nxyz\r\n`)),
  truncated("a chunk shorter than its size is seen", then("end", `${chunkedHead}a\r\nhello`)),
  brokenLater("a body that a reset ends is not taken for whole", head("HTTP/1.1 200 OK"), "reset"),
  truncated(
    "an HTTP/1.0 client sees a body shorter than its length too",
    then("end", `${head("HTTP/1.1 200 OK", "Content-Length: 10")}hello`),
    get10,
  ),
  brokenLater("an HTTP/1.0 client sees that chunks have no last one", `${chunkedHead}7\r\n`, "end", get10),
  brokenLater("an HTTP/1.0 client sees that a reset ends a body", head("HTTP/1.1 200 OK"), "reset", get10),
];

export const brokenResponses: readonly Row[] = [...faulty, ...short];
