// The API described: as OpenAPI for programs, as a page for people. Both are made once, when they are first asked for.

import type { Router } from "express";
import express from "express";
import { version } from "../../../../services/runtime/version.ts";
import { docsPage } from "./docs-page.ts";
import { openApi } from "./openapi.ts";

/** Answers `/openapi.json` and `/docs`, and passes on the rest. */
export function description(): Router {
  const router = express.Router();
  let made: { readonly document: object; readonly page: string } | undefined;
  const make = () => {
    const document = openApi(version);
    made ??= { document, page: docsPage(document as Readonly<Record<string, unknown>>) };
    return made;
  };
  router.get("/openapi.json", (_request, response) => {
    response.json((made ?? make()).document);
  });
  router.get("/docs", (_request, response) => {
    response.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    response.type("html").send((made ?? make()).page);
  });
  return router;
}
