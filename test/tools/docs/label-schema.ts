// The JSON schema of a Compose file's labels of ours, made from the table that reads them. It is for editors and validators: it refuses
// nothing that the watchdog takes, and the watchdog refuses some of what it takes, such as a time of more than a day.

import * as z from "zod";
import { labelTable } from "../../../watchdog/desired/label-table.ts";

export function labelSchema() {
  const labels = Object.entries(labelTable).map(([name, { schema, about, example }]) => {
    const { $schema: _, type: __, allOf, ...rules } = z.toJSONSchema(schema, { io: "input" });
    // Not all validators look at a pattern where nothing says that it is of a text.
    const texts = allOf && { allOf: allOf.map((rule) => ({ type: "string", ...rule })) };
    // YAML makes a number of 3000 and a boolean of true, of which Compose makes text again.
    const number = schema.safeParse("1").success ? ["number"] : [];
    const boolean = schema.safeParse("true").success ? ["boolean"] : [];
    const types = ["string", ...number, ...boolean];
    const type = types.length > 1 ? types : "string";
    return [`evenkeel.${name}`, { description: about, examples: [example], type, ...rules, ...texts }] as const;
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "The labels of Evenkeel in a Compose file",
    type: "object",
    properties: {
      services: { type: "object", additionalProperties: { type: "object", properties: { labels: of(labels) } } },
    },
  };
}

/** Whatever begins like ours and is not in the table is a typo. Labels in a list, `- evenkeel.port=3000`, are not looked at. */
function of(labels: readonly (readonly [string, object])[]) {
  const names = labels.map(([name]) => name.replace("evenkeel.", ""));
  return {
    anyOf: [
      {
        type: "object",
        properties: Object.fromEntries(labels),
        propertyNames: {
          pattern: `^(?!evenkeel\\.)|^evenkeel\\.(${names.map((name) => name.replaceAll(".", "\\.")).join("|")})$`,
        },
      },
      { type: ["array", "null"] },
    ],
  };
}
