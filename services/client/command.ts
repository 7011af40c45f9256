// What the words of the client's command line mean, and its --help.

import { parseArgs } from "node:util";
import { type HelpLine, noMore, UsageFault, webAddress, wholeNumber } from "../command-line/command-line.ts";

export const USAGE =
  "usage: node client.js ID [--count N] [--url http://host:port]   ID and N are positive whole numbers";

export const HELP: readonly HelpLine[] = [
  ["ID", "the client's number, a positive whole one: it is sent as ?client=ID"],
  ["--count N", "so many requests, one after another, and a summary of them; Ctrl-C ends it early. Default: 1"],
  [
    "--url URL",
    "where to send them; path and query are kept. Default: BALANCER_URL, else BALANCER_PORT on this machine",
  ],
];

const LEGAL_NUMBERS = { least: 1, most: 999_999_999_999_999 };

export interface ClientCommand {
  readonly client: number;
  readonly count: number;
  /** Undefined: where the settings say. */
  readonly url: URL | undefined;
}

/** @throws UsageFault */
export function parseCommand(words: readonly string[]): ClientCommand {
  const options = { url: { type: "string" }, count: { type: "string" } } as const;
  const { values, positionals } = parseArgs({ args: [...words], allowPositionals: true, options });
  const [id, ...rest] = positionals;
  if (id === undefined) throw new UsageFault("there is no ID");
  noMore(rest);
  return {
    client: wholeNumber("ID", id, LEGAL_NUMBERS),
    count: wholeNumber("--count", values.count ?? "1", LEGAL_NUMBERS),
    url: values.url === undefined ? undefined : webAddress("--url", values.url),
  };
}
