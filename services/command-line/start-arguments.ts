// The arguments of `npm start`, as the settings that they are short for: how many servers, and which program of the user's they are.
// It reads them, names what is wrong with them, and sets nothing. Small: the guardian loads it, which has to stay so.

interface Argument {
  readonly setting: string;
  /** What it says, with a value that it may have. */
  readonly example: string;
  /** What it does, for --help. */
  readonly about: string;
}

const COMMAND_EXAMPLE = "--command 'node app.js'";
const args: Readonly<Record<string, Argument>> = {
  "--servers": { setting: "SERVERS", example: "--servers 4", about: "how many servers there are, 1 to 64. Default: 6" },
  "--command": {
    setting: "SERVER_COMMAND",
    example: COMMAND_EXAMPLE,
    about: "starts one, a program of yours. Default: the samples",
  },
  "--port-env": {
    setting: "SERVER_PORT_ENV",
    example: "--port-env PORT",
    about: "the variable that tells it the port to listen on. Default: PORT",
  },
  "--health": {
    setting: "SERVER_HEALTH",
    example: "--health /up",
    about: "a path that answers 200 to 399 while it is well. Default: any answer at all",
  },
};
const HELP_WIDTH = 28;
/** They say something of the command. */
const OF_COMMAND = ["--port-env", "--health"];
const SHOWN_MAX = 64;

export type StartArguments =
  | { readonly ok: true; readonly settings: Readonly<Record<string, string>> }
  /** One line that names the argument and the fix. */
  | { readonly ok: false; readonly fault: string };

/** What is printed for --help; undefined: nobody asks for it. */
export function startHelp(words: readonly string[]): string | undefined {
  if (!words.includes("--help") && !words.includes("-h")) return undefined;
  const lines = Object.values(args).map(({ example, about }) => `  ${example}`.padEnd(HELP_WIDTH) + about);
  const usage =
    "usage: npm start -- [ARGUMENT ...]   a balancer, proxies and servers as processes, healed by a watchdog";
  return [usage, "", ...lines, "", "Settings are environment variables: docs/configuration.md lists them."].join("\n");
}

/** @param given the settings there are without them */
export function readStartArguments(words: readonly string[], given: Readonly<NodeJS.ProcessEnv>): StartArguments {
  if (words.length > 0 && given.ENGINE === "docker")
    return refused(`${shown(words[0])}: with Docker the Compose file says what there is; leave the arguments away`);
  const settings: Record<string, string> = {};
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, name = "", inline] = /^(--[a-z-]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const argument = Object.hasOwn(args, name) ? args[name] : undefined;
    if (argument === undefined) return refused(`unknown argument ${shown(word)}: ${legal()}`);
    const value = inline ?? rest.shift();
    if (value === undefined || (inline === undefined && value.startsWith("--")) || value.trim() === "")
      return refused(`${name} has no value: write ${argument.example}, for example`);
    settings[argument.setting] = value;
  }
  const alone = OF_COMMAND.find((name) => (args[name] as Argument).setting in settings);
  if (alone !== undefined && !settings.SERVER_COMMAND && !given.SERVER_COMMAND)
    return refused(`${alone} says something of a program of yours: add ${COMMAND_EXAMPLE}, or take it away`);
  return { ok: true, settings };
}

function legal(): string {
  const examples = Object.values(args).map(({ example }) => example);
  return `behind "npm start --" stand ${examples.join(", ")}`;
}

function shown(word = ""): string {
  return JSON.stringify(word.slice(0, SHOWN_MAX));
}

function refused(fault: string): StartArguments {
  return { ok: false, fault };
}
