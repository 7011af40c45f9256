// Pure. The kinds of values that labels have. Compose makes text of whatever stands in the file: yes, on, true and "1" are one thing.
// What a kind says by `meta` is for the JSON schema alone: as much of its rule as a pattern can say, never more than that.

import * as z from "zod";

const TEXT_BYTES_MAX = 256;
const TRUE = new Set(["yes", "on", "true", "1"]);
const FALSE = new Set(["no", "off", "false", "0"]);
const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const DAY_MS = 86_400_000;
/** Of one member; 0: it gets nothing while others of its pool serve. */
export const WEIGHT_MAX = 256;

export const flag = z
  .string()
  .transform((text, context) => {
    const word = text.toLowerCase();
    if (TRUE.has(word)) return true;
    if (FALSE.has(word)) return false;
    return refuse(context, 'must be "on" or "off"');
  })
  .meta({ pattern: `^(${[...TRUE, ...FALSE].map(inAnyCase).join("|")})$` });

export const port = z
  .string()
  .transform((text, context) => {
    const number = Number(text);
    const isPort = /^\d{1,5}$/.test(text) && number >= 1 && number <= 65_535;
    return isPort ? number : refuse(context, "must be a port, 1 to 65535");
  })
  .meta({ pattern: "^[0-9]{1,5}$", minimum: 1, maximum: 65_535 });

/** In ms. */
export const duration = z
  .string()
  .transform((text, context) => {
    const [, amount, unit] = /^(\d{1,9})(ms|s|m|h)?$/.exec(text) ?? [];
    if (amount === undefined) return refuse(context, "must be a time such as 400ms, 90s or 5m");
    if (unit === undefined) return refuse(context, `has no unit; write ${amount}s`);
    const ms = Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS];
    return ms >= 1 && ms <= DAY_MS ? ms : refuse(context, "must be 1ms to 24h");
  })
  .meta({ pattern: "^[0-9]{1,9}(ms|s|m|h)$" });

export const weight = z
  .string()
  .transform((text, context) => {
    const number = Number(text);
    return /^\d{1,3}$/.test(text) && number <= WEIGHT_MAX ? number : refuse(context, `must be 0 to ${WEIGHT_MAX}`);
  })
  .meta({ pattern: "^[0-9]{1,3}$", minimum: 0, maximum: WEIGHT_MAX });

const COUNT_MAX = 16;

/** How many at a time. */
export const count = z
  .string()
  .transform((text, context) => {
    const number = Number(text);
    const isCount = /^\d{1,2}$/.test(text) && number >= 1 && number <= COUNT_MAX;
    return isCount ? number : refuse(context, `must be 1 to ${COUNT_MAX}`);
  })
  .meta({ pattern: "^[0-9]{1,2}$", minimum: 1, maximum: COUNT_MAX });

/** In bytes. */
export const size = z
  .string()
  .transform((text, context) => {
    const [, amount, unit = ""] = /^(\d{1,9})([kmg]?)b?$/i.exec(text) ?? [];
    const bytes = Number(amount) * 1_024 ** "kmg".indexOf(unit.toLowerCase() || "k") * (unit === "" ? 1 : 1_024);
    return amount !== undefined && bytes >= 1 && bytes <= Number.MAX_SAFE_INTEGER
      ? bytes
      : refuse(context, "must be a size such as 512k, 10m or 1g");
  })
  .meta({ pattern: "^[0-9]{1,9}[kKmMgG]?[bB]?$", minimum: 1 });

const HOSTS_MAX = 16;
const HOST = /^(?:\*\.)?(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Names of hosts, in lower case; `*.` before one: any name below it. */
export const hosts = z
  .string()
  .transform((text, context) => {
    const names = text.split(",").map((name) => name.trim().toLowerCase());
    if (names.length > HOSTS_MAX) return refuse(context, `must have at most ${HOSTS_MAX} hosts`);
    const wrong = names.find((name) => !HOST.test(name));
    return wrong === undefined
      ? names
      : refuse(context, "must be hosts such as a.org,*.b.org, without scheme and port");
  })
  .meta({ pattern: "^[A-Za-z0-9_.*,\\s-]+$" });

/** The name of a cookie, as STICKY_COOKIE has it. */
export const cookie = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, dashes or underscores");

/** What stands in names of services, networks and groups. */
export const word = z
  .string()
  .max(TEXT_BYTES_MAX, `must have at most ${TEXT_BYTES_MAX} characters`)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, "must be one word of letters, digits, dots, dashes and underscores");

/** The target of a request, as it goes out. */
export const path = z
  .string()
  .max(TEXT_BYTES_MAX, `must have at most ${TEXT_BYTES_MAX} characters`)
  .startsWith("/", 'must start with "/"')
  .regex(/^[\x21-\x7e]*$/, "must hold no spaces, and nothing outside of ASCII");

/** Where a route begins. */
export const prefix = path.regex(/^[^?#*]*$/, "must be the beginning of a path, without ?, # and *");

export function choice<const Word extends string>(words: readonly Word[]) {
  return z
    .string()
    .transform((text, context): Word => {
      const found = words.find((one) => one === text);
      return found ?? refuse(context, `must be one of ${words.join(", ")}`);
    })
    .meta({ enum: [...words] });
}

/** Patterns of a JSON schema have no flags. */
function inAnyCase(word: string): string {
  return word.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message });
  return z.NEVER;
}
