// The whole table, in the order of the checklist's concepts. A row is looked up by its rule's number.

import { connections } from "./connections/connections.ts";
import { executions } from "./connections/executions.ts";
import { statusesAndLimits } from "./connections/limits.ts";
import { tunnels } from "./connections/tunnels.ts";
import { upgrades } from "./connections/upgrades.ts";
import { framing } from "./requests/framing.ts";
import { hopByHop } from "./requests/hop-by-hop.ts";
import { syntax } from "./requests/syntax.ts";
import { target } from "./requests/target.ts";
import { way } from "./requests/way.ts";
import { brokenResponses } from "./responses/broken-responses.ts";
import { expectations } from "./responses/expectations.ts";
import { informational } from "./responses/informational.ts";
import { responses } from "./responses/responses.ts";
import { trailers } from "./responses/trailers.ts";
import type { Row } from "./row.ts";

export const rows: readonly Row[] = [
  ...[...framing, ...target, ...syntax, ...hopByHop, ...way],
  ...[...informational, ...expectations, ...responses, ...brokenResponses, ...trailers],
  ...[...tunnels, ...upgrades, ...connections, ...executions, ...statusesAndLimits],
];
