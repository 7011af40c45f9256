// Pure. Decides which requests the watchdog's port answers, and says why not. Everybody who reaches the port may read; orders
// change members, so they are for this machine and for holders of API_TOKEN. A browser is on this machine too, and asks what
// any web page tells it to: by a form or a fetch of another site (CSRF), or by a name that leads here (DNS rebinding).

export interface ApiRequest {
  /** The address at the other end of the connection. Undefined: it has gone. */
  readonly peer: string | undefined;
  /** Headers, as they came. */
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly contentType: string | undefined;
  /** A reverse proxy of this machine forwarded it, for a client that may be anywhere. */
  readonly forwarded: boolean;
  readonly hasToken: boolean;
  /** What this watchdog is called beside localhost and watchdog: a second one has a name of its own. */
  readonly ownName: string;
}

const OWN_NAMES = ["localhost", "watchdog"];

/**
 * A site whose name was made to lead here would count as ours in its visitor's browser, but it cannot choose the Host. Behind
 * Docker's published port a browser of this machine has the address of a gateway, so the rule is the same for all.
 * @returns why it may ask nothing at all, in one line; undefined: it may
 */
export function whyNoAnswer({ host, hasToken, ownName }: ApiRequest): string | undefined {
  if (hasToken || isOwnName(host, ownName)) return undefined;
  const names = [...new Set([...OWN_NAMES, ownName])].join(", ");
  return `this is not the watchdog's name: ask for ${names} or an IP address, or set API_TOKEN and send it`;
}

/** @returns why it may give no orders, in one line; undefined: it may */
export function whyNoOrder(request: ApiRequest): string | undefined {
  const { peer, origin, contentType, forwarded, hasToken } = request;
  // Browsers send Origin with every order of a page, be it of this host or another; nothing else does.
  if (origin !== undefined && !isOfStatusPage(request))
    return "no orders are taken from web pages, but from the status page with API_TOKEN: send no Origin";
  // A form can send three content types without asking first (Fetch, "CORS-safelisted request-header"); this is none of them.
  if (!/^application\/json *(;|$)/i.test(contentType ?? "")) return "send it with Content-Type: application/json";
  if (isTrusted({ peer, forwarded, hasToken })) return undefined;
  return "orders are taken on the watchdog's own host: docker compose exec watchdog node watchdogctl.js; elsewhere set API_TOKEN and send it as Authorization: Bearer";
}

/** A log may hold what the member's clients have sent. @returns why it may not read what members wrote, in one line; undefined: it may */
export function whyNoLog(request: ApiRequest): string | undefined {
  if (isTrusted(request)) return undefined;
  return "what members wrote is shown on the watchdog's own host, and to whoever sends API_TOKEN";
}

/** A name that was made to lead here has the page's origin as well, which is why that alone is not enough: nobody gives it the token. */
function isOfStatusPage({ origin = "", host = "", hasToken }: ApiRequest): boolean {
  return hasToken && host !== "" && origin.toLowerCase().replace(/^https?:\/\//, "") === host.toLowerCase();
}

function isTrusted({ peer, forwarded, hasToken }: Pick<ApiRequest, "peer" | "forwarded" | "hasToken">): boolean {
  return hasToken || (isLoopback(peer) && !forwarded);
}

/** A socket that takes both kinds of IP shows IPv4 as ::ffff:127.0.0.1. */
function isLoopback(peer = ""): boolean {
  return peer === "::1" || /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(peer);
}

function isOwnName(host = "", ownName: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return (
    OWN_NAMES.includes(name) ||
    name === ownName.toLowerCase() ||
    /^\d+\.\d+\.\d+\.\d+$/.test(name) ||
    /^\[[0-9a-f:.]+\]$/.test(name)
  );
}
