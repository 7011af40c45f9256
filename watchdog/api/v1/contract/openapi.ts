// The OpenAPI 3.1 document of /api/v1, from the table of operations and the schemas that the server builds its answers by.

import * as z from "zod";
import { type DocumentName, documents } from "./documents.ts";
import {
  anyProblems,
  type Operation,
  type OperationName,
  operationList,
  orderProblems,
  parametersOf,
} from "./operations.ts";
import { PROBLEM_TYPE, type ProblemName, problems } from "./problems.ts";

type Json = Readonly<Record<string, unknown>>;

const GROUPS: Readonly<Record<Operation["group"], string>> = {
  state: "What there is",
  incidents: "What was healed",
  slots: "Orders about one slot",
  services: "Orders about a service, and what became of them",
  orders: "Orders that take their time",
};

const DESCRIPTION = `Reading is for everybody who reaches the port by a name of the watchdog's. Orders are taken from the watchdog's own host, or with API_TOKEN.
What is refused is answered with a problem document, whose type is stable. Answers may get more fields: leave out those that you do not know.`;

export function openApi(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, operation] of operationList()) {
    const path = `/api/v1${operation.path}`;
    paths[path] = { ...paths[path], [operation.method]: operationOf(name, operation) };
  }
  return {
    openapi: "3.1.1",
    info: {
      ...{ title: "Evenkeel", version, description: DESCRIPTION },
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: Object.entries(GROUPS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", description: "The setting API_TOKEN" } },
      schemas: schemas(),
    },
  };
}

function operationOf(name: OperationName, operation: Operation): Json {
  const isOrder = operation.method === "post";
  const refusals = [...anyProblems, ...operation.problems, ...(isOrder ? orderProblems : [])];
  const body = operation.body && {
    requestBody: { required: true, content: { "application/json": reference(operation.body) } },
  };
  return {
    ...{ operationId: name, summary: operation.summary, tags: [operation.group] },
    // From the watchdog's own host none is needed.
    security: isOrder ? [{}, { token: [] }] : [],
    parameters: [...pathParameters(operation), ...queryParameters(operation), ...(isOrder ? [IDEMPOTENCY_KEY] : [])],
    ...body,
    responses: { [operation.status]: answer(operation), ...refused(refusals) },
  };
}

const IDEMPOTENCY_KEY: Json = {
  ...{ name: "Idempotency-Key", in: "header", required: false },
  description: "An order that is sent again with its key is not given again: its first answer is.",
  schema: { type: "string", minLength: 1, maxLength: 255 },
};

function pathParameters(operation: Operation): Json[] {
  return parametersOf(operation).map((name) => ({
    ...{ name, in: "path", required: true },
    schema: name === "number" ? { type: "integer", minimum: 1 } : { type: "string" },
  }));
}

function queryParameters({ query = {} }: Operation): Json[] {
  return Object.entries(query).map(([name, description]) => ({
    ...{ name, in: "query", required: false, description },
    schema: name === "limit" ? { type: "integer", minimum: 1, maximum: 999_999_999 } : { type: "string" },
  }));
}

function answer({ answers, status, summary }: Operation): Json {
  if (answers === "events")
    return {
      description: "Each event's data is an OrderEvent, its id the number of it; Last-Event-ID is heeded",
      content: { "text/event-stream": { schema: { type: "string" } } },
    };
  const content = { "application/json": reference(answers) };
  if (status === 200) return { description: summary, content };
  const Location = { description: "Where it is followed", schema: { type: "string" } };
  return { description: "It has begun", headers: { Location }, content };
}

/** Problems of one status share a response. */
function refused(names: readonly ProblemName[]): Record<string, Json> {
  const statuses = [...new Set(names.map((name) => problems[name].status))];
  return Object.fromEntries(
    statuses.map((status) => {
      const titles = names
        .filter((name) => problems[name].status === status)
        .map((name) => `${name}: ${problems[name].title}`);
      return [status, { description: titles.join(". "), content: { [PROBLEM_TYPE]: reference("Problem") } }];
    }),
  );
}

function reference(name: DocumentName): Json {
  return { schema: { $ref: `#/components/schemas/${name}` } };
}

function schemas(): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(documents)) registry.add(schema, { id });
  const made = z.toJSONSchema(registry, {
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // A reader takes what a newer watchdog adds.
      delete jsonSchema.additionalProperties;
      delete jsonSchema.readOnly;
      if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return Object.fromEntries(
    Object.entries(made.schemas).map(([id, { $id: _, $schema: __, ...schema }]) => [id, schema as Json]),
  );
}
