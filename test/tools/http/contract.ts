// What a served OpenAPI document promises, held against answers: is there such an operation, may it answer with this status and media
// type, and is the body as its schema says, no more and no less. A field that the document does not name is a fault here, although
// readers are to take it: what is served is to be described.

import assert from "node:assert/strict";
import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import formats from "ajv-formats";

type Json = Readonly<Record<string, unknown>>;

export interface ServedAnswer {
  readonly method: string;
  /** As asked, without its query. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: unknown;
}

interface DocumentedResponse {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content: Readonly<Record<string, { readonly schema: AnySchema }>>;
}

interface Documented {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, DocumentedResponse>> }>>>
  >;
}

export class Contract {
  readonly #document: Documented;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: unknown) {
    this.#document = document as Documented;
    formats.default(this.#ajv);
    this.#ajv.addSchema({ $id: "openapi", ...(closed(document) as Json) }, "openapi", false, false);
  }

  /** Every operation, as `get /api/v1/state`. */
  get operations(): string[] {
    const { paths } = this.#document;
    return Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
  }

  /** @returns the path with the names in it, which the document has */
  check({ method, path, status, contentType, body }: ServedAnswer): string {
    const template = Object.keys(this.#document.paths).find((each) => matches(each, path));
    const promised = template && this.#document.paths[template]?.[method.toLowerCase()];
    assert.ok(template && promised, `${method} ${path} is not in the document`);
    const response = promised.responses[status];
    assert.ok(response, `${method} ${template} is answered with ${status}, which is not in the document`);
    const mediaType = contentType.split(";", 1)[0] as string;
    assert.ok(mediaType in response.content, `${method} ${template} ${status} is ${mediaType}`);
    const pointer = [
      "paths",
      template,
      method.toLowerCase(),
      "responses",
      String(status),
      "content",
      mediaType,
      "schema",
    ];
    this.#valid(`openapi#/${pointer.map(escaped).join("/")}`, body, `${method} ${path} ${status}`);
    return template;
  }

  /** One that answers no operation. */
  checkProblem(body: unknown, contentType: string): void {
    assert.equal(contentType.split(";", 1)[0], "application/problem+json");
    this.#valid("openapi#/components/schemas/Problem", body, "a problem");
  }

  #valid($ref: string, body: unknown, what: string): void {
    const validate = this.#ajv.compile({ $ref });
    assert.ok(validate(body), `${what}: ${this.#ajv.errorsText(validate.errors)}: ${JSON.stringify(body)}`);
  }
}

/** No object may have more than is named. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const inside = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, closed(each)]));
  return "properties" in value && "type" in value ? { ...inside, additionalProperties: false } : inside;
}

function matches(template: string, path: string): boolean {
  return new RegExp(`^${template.replace(/\{\w+\}/g, "[^/]+")}$`).test(path);
}

const escaped = (part: string) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
