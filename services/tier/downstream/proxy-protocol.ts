// Pure. The PROXY protocol's header, versions 1 and 2: who the client is, said by a balancer in front of us before the first
// byte of HTTP (haproxy doc/proxy-protocol.txt, sections 2.1 and 2.2).

export type ProxyHeader =
  /** `length`: how many bytes of the connection the header took. `address` is undefined for a health check of the sender's. */
  | { readonly kind: "header"; readonly length: number; readonly address: string | undefined }
  /** It may yet become one. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed" };

const SIGNATURE_1 = Buffer.from("PROXY ");
const SIGNATURE_2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n");
/** The longest line of version 1, its CRLF included. */
const LINE_BYTES_MAX = 107;
const PREAMBLE_BYTES = 16;
/** Enough for addresses and any extension we skip. */
const PAYLOAD_BYTES_MAX = 4_096;

export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsAs(bytes, SIGNATURE_2)) return parseVersion2(bytes);
  if (startsAs(bytes, SIGNATURE_1)) return parseVersion1(bytes);
  return { kind: "malformed" };
}

/** True also for the mere beginning of a signature. */
function startsAs(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function parseVersion1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, LINE_BYTES_MAX).indexOf("\r\n");
  if (end < 0) return bytes.length < LINE_BYTES_MAX ? { kind: "incomplete" } : { kind: "malformed" };
  const length = end + 2;
  const words = bytes.toString("latin1", 0, end).split(" ");
  if (words[1] === "UNKNOWN") return { kind: "header", length, address: undefined };
  const address = words[2] as string;
  const legal = words.length === 6 && (words[1] === "TCP4" ? isIpv4(address) : words[1] === "TCP6" && isIpv6(address));
  if (!legal) return { kind: "malformed" };
  return { kind: "header", length, address: address.includes(":") ? canonical(address) : address };
}

function parseVersion2(bytes: Buffer): ProxyHeader {
  if (bytes.length < PREAMBLE_BYTES) return { kind: "incomplete" };
  const versionAndCommand = bytes[12] as number;
  const family = (bytes[13] as number) >> 4;
  const payload = bytes.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2 || (versionAndCommand & 15) > 1 || payload > PAYLOAD_BYTES_MAX)
    return { kind: "malformed" };
  const length = PREAMBLE_BYTES + payload;
  if (bytes.length < length) return { kind: "incomplete" };
  const local = (versionAndCommand & 15) === 0;
  if (local || (family !== 1 && family !== 2)) return { kind: "header", length, address: undefined };
  const addressBytes = family === 1 ? 4 : 16;
  if (payload < 2 * addressBytes + 4) return { kind: "malformed" };
  const source = bytes.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + addressBytes);
  return { kind: "header", length, address: family === 1 ? [...source].join(".") : ipv6Of(source) };
}

function isIpv4(text: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(text) && text.split(".").every((part) => Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  return /^[0-9a-fA-F:.]{2,45}$/.test(text) && text.includes(":") && URL.canParse(`http://[${text}]/`);
}

function ipv6Of(bytes: Buffer): string {
  return canonical(Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(":"));
}

/** As everybody else writes it (RFC 5952); a mapped one is the IPv4 address that it stands for (its section 5, RFC 4291 section 2.5.5.2). */
function canonical(ipv6: string): string {
  const text = new URL(`http://[${ipv6}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text);
  if (mapped === null) return text;
  const [high, low] = mapped.slice(1).map((half) => Number.parseInt(half, 16)) as [number, number];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
