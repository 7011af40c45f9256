// The whole table, in the order of the checklist's concepts. A row is looked up by its rule's number.

import { brokenResponses } from "./broken-responses.ts";
import { connections } from "./connections.ts";
import { executions } from "./executions.ts";
import { expectations } from "./expectations.ts";
import { framing } from "./framing.ts";
import { hopByHop } from "./hop-by-hop.ts";
import { informational } from "./informational.ts";
import { statusesAndLimits } from "./limits.ts";
import { responses } from "./responses.ts";
import type { Row } from "./row.ts";
import { syntax } from "./syntax.ts";
import { target } from "./target.ts";
import { trailers } from "./trailers.ts";
import { tunnels } from "./tunnels.ts";
import { upgrades } from "./upgrades.ts";
import { way } from "./way.ts";

export const rows: readonly Row[] = [
  ...[...framing, ...target, ...syntax, ...hopByHop, ...way],
  ...[...informational, ...expectations, ...responses, ...brokenResponses, ...trailers],
  ...[...tunnels, ...upgrades, ...connections, ...executions, ...statusesAndLimits],
];
