// The kinds of values that settings have, each with what is legal in the message of its fault.

import { isIP } from "node:net";
import * as z from "zod";

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** A whole number as text, with its legal range in the message. */
export function integer(minimum: number, maximum: number) {
  const message = `must be a whole number from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, message)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, message);
}

export const port = integer(0, 65_535);
const rangeMessage = "must be two ports, the smaller first, such as 9001-9100";
export const portRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/, rangeMessage)
  .transform((text): PortRange => {
    const [first, last] = text.split("-").map(Number) as [number, number];
    return { first, last };
  })
  .refine(({ first, last }) => first >= 1 && first <= last && last <= 65_535, rangeMessage);

export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/i, "must be 1 to 63 letters, digits, dots, dashes or underscores");
export const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(", ")}` });
export const httpUrl = z
  .string()
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
    "must be an http:// or https:// address",
  );

export const variable = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
    "must be a variable's name, such as PORT: 1 to 64 letters, digits, underscores",
  );
export const shellCommand = z.string().max(4_096, "must be at most 4096 characters long");
/** The target of a request. */
export const requestPath = z
  .string()
  .regex(/^\/[\x21-\x7e]{0,255}$/, "must be a path such as /up: a slash first, no spaces, at most 256 characters");

const addressRange = /^(?:[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)(?:\/\d{1,3})?$/;
/** Addresses or networks, separated by commas. */
export const addressRanges = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter(Boolean),
  )
  .refine((ranges) => ranges.every(isAddressRange), "must be addresses or networks, such as 10.0.0.0/8,::1");

function isAddressRange(range: string): boolean {
  const [address, bits] = range.split("/") as [string, string?];
  const family = isIP(address);
  return addressRange.test(range) && family !== 0 && (bits === undefined || Number(bits) <= (family === 4 ? 32 : 128));
}
