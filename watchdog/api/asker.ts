// Who asks, as access.ts judges it: read from a request and its connection. And the rule that holds for every path of the port.

import { createHash, timingSafeEqual } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { type ApiRequest, whyNoAnswer } from "./access.ts";
import type { ApiError } from "./schema.ts";
import { refuse } from "./v1/refuse.ts";

export interface AccessSettings {
  /** The setting API_TOKEN. */
  readonly token: string | undefined;
  /** The setting ID. */
  readonly ownName: string;
}

export function apiRequestOf({ socket, headers }: Request, { token, ownName }: AccessSettings): ApiRequest {
  return {
    peer: socket.remoteAddress,
    host: headers.host,
    origin: headers.origin,
    contentType: headers["content-type"],
    forwarded: headers["x-forwarded-for"] !== undefined || headers.forwarded !== undefined,
    hasToken: token !== undefined && isToken(token, headers.authorization),
    ownName,
  };
}

/** Refuses whoever asks for a name that is not the watchdog's. */
export function ownNamesAlone(access: AccessSettings): RequestHandler {
  return (request, response, next) => {
    const error = whyNoAnswer(apiRequestOf(request, access));
    if (error === undefined) next();
    else if (request.path.startsWith("/api/v1")) refuse(response, { problem: "wrong-host", detail: error });
    else response.status(403).json({ error } satisfies ApiError);
  };
}

/** Compares digests, which are equally long whatever was given: neither time nor length tells of the token. */
function isToken(token: string, authorization = ""): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const given = /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? "";
  return timingSafeEqual(digest(given), digest(token));
}
