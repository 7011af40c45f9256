// Every exit code, and the one error that carries one. A StartupFailure is an expected refusal to start:
// main.ts prints its message as a single line and exits with its code; any other error is a bug and keeps its stack.

/** Codes above 64 follow sysexits(3), so that scripts can tell one refusal from another. */
export const exitCode = {
  /** The client's request failed. */
  failed: 1,
  /** The command line was wrong. */
  usage: 2,
  /** The registry is not a document we can read (EX_DATAERR). */
  registry: 65,
  /** The Docker socket is missing or nobody answers on it (EX_UNAVAILABLE). */
  engineMissing: 69,
  /** A fixed port is taken (EX_OSERR). */
  portTaken: 71,
  /** The directory for the registry cannot be made or written (EX_CANTCREAT). */
  registryDirectory: 73,
  /** No port of a range is free (EX_TEMPFAIL). */
  portsExhausted: 75,
  /** The Docker engine is too old (EX_PROTOCOL). */
  engineTooOld: 76,
  /** The Docker socket refuses us (EX_NOPERM). */
  engineRefused: 77,
  /** One or more settings are faulty (EX_CONFIG). */
  settings: 78,
  /** A standby has given the lead back; its guardian starts the next one, which stands by. */
  handedOver: 79,
} as const;

export class StartupFailure extends Error {
  readonly exitCode: number;

  /** @param message one line that names the thing and the fix */
  constructor(code: number, message: string) {
    super(message);
    this.exitCode = code;
  }
}

/** A command line's last words, on stderr. @returns the code, to exit with */
export function complain(line: string, code: number): number {
  process.stderr.write(`${line}\n`);
  return code;
}
