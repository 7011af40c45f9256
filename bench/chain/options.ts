// The command line of `npm run bench`, read and checked before anything starts.

import { parseArgs } from "node:util";
import { type Scenario, scenarios } from "./scenarios.ts";

export const USAGE = `npm run bench -- [options]
  --short            under a minute: some scenarios, one round of a second each; what CI prints
  --scenario NAME    only this one (repeatable): ${scenarios.map(({ name }) => name).join(" ")}
  --chains A,B       only these: ours, what --against names, nginx haproxy caddy http-proxy http-proxy-middleware
  --against DIST=LABEL  another build of ours beside this one (repeatable)
  --dist DIST        the build that is "ours"; default: this checkout's dist
  --baseline NAME    what ratios are to; default: nginx, else the first chain
  --rounds N         turns of each chain in each scenario
  --seconds N        length of one turn
  --warm N           seconds of load before the first round
  --together         all chains under load at once: the fairest between two builds of ours on a busy machine
  --json FILE        every sample and the summary
  --from FILE        measures nothing: the samples of an earlier run's --json (repeatable; together they are one run)
  --plots DIR        SVG plots`;

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly chains: readonly string[] | undefined;
  readonly against: readonly { readonly dist: string; readonly label: string }[];
  readonly dist: string;
  readonly baseline: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly together: boolean;
  readonly json: string | undefined;
  readonly from: readonly string[];
  readonly plots: string | undefined;
}

/** @throws Error with one line that says what is wrong */
export function readOptions(parameters: readonly string[]): Options {
  const stranger = parameters.find((each) => /^--(kills|hangs)\b/.test(each));
  if (stranger !== undefined)
    throw new Error(
      `${stranger} belongs to the measure of recovery: npm run bench:recovery -- ${parameters.join(" ")}`,
    );
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      short: { type: "boolean", default: false },
      scenario: { type: "string", multiple: true },
      chains: { type: "string" },
      against: { type: "string", multiple: true, default: [] },
      dist: { type: "string", default: "dist" },
      baseline: { type: "string", default: "nginx" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      warm: { type: "string" },
      together: { type: "boolean", default: false },
      json: { type: "string" },
      from: { type: "string", multiple: true, default: [] },
      plots: { type: "string" },
    },
  });
  const { short } = values;
  return {
    scenarios: values.scenario?.map(named) ?? scenarios.filter((each) => !short || each.short),
    chains: values.chains?.split(","),
    against: values.against.map(build),
    dist: values.dist,
    baseline: values.baseline,
    rounds: count("--rounds", values.rounds ?? (short ? "1" : "3"), { least: 1, most: 100 }),
    seconds: count("--seconds", values.seconds ?? (short ? "1" : "4"), { least: 1, most: 600 }),
    warmUpSeconds: count("--warm", values.warm ?? (short ? "1" : "8"), { least: 0, most: 600 }),
    together: values.together,
    json: values.json,
    from: values.from,
    plots: values.plots,
  };
}

function named(name: string): Scenario {
  const found = scenarios.find((each) => each.name === name);
  if (found === undefined) throw new Error(`--scenario ${name}: there is no such scenario`);
  return found;
}

function build(text: string): { dist: string; label: string } {
  const [, dist, label] = /^(.+)=([\w.-]+)$/.exec(text) ?? [];
  if (dist === undefined || label === undefined) throw new Error(`--against ${text}: it must be DIST=LABEL`);
  return { dist, label };
}

function count(name: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`${name} ${text}: it must be a whole number from ${least} to ${most}`);
}
