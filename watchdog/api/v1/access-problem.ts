// Pure. Why an order is refused, as a problem: by the rules of access.ts. A token that is wrong is refused wherever it comes from.

import { type ApiRequest, whyNoOrder } from "../access.ts";
import type { ApiProblem } from "./contract/problems.ts";

export interface OrderRequest extends ApiRequest {
  /** A token was sent, and API_TOKEN is set. */
  readonly triesToken: boolean;
}

/** @returns undefined: it may give orders */
export function orderProblem(request: OrderRequest): ApiProblem | undefined {
  const detail = whyNoOrder(request);
  // The rule that is broken is the first one without which something else would be said.
  const isBroken = (rule: Partial<ApiRequest>) => whyNoOrder({ ...request, ...rule }) !== detail;
  if (detail !== undefined && isBroken({ origin: undefined })) return { problem: "from-a-web-page", detail };
  if (detail !== undefined && isBroken({ contentType: "application/json" })) return { problem: "not-json", detail };
  if (request.triesToken && !request.hasToken)
    return {
      problem: "wrong-token",
      detail: "what Authorization says is not the watchdog's API_TOKEN: correct it, or leave it out",
    };
  return detail === undefined ? undefined : { problem: "no-token", detail };
}
