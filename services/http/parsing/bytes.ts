// Pure. Which bytes may stand where in a message (RFC 9110 section 5, RFC 9112 sections 2 to 5), as tables by byte: 1 means yes.

export const HTAB = 9;
export const LF = 10;
export const CR = 13;
export const SP = 32;
export const COLON = 58;
export const SEMICOLON = 59;

const ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** tchar: methods and header names. */
export const TOKEN = tableOf((byte) => `!#$%&'*+-.^_\`|~${ALPHANUMERIC}`.includes(String.fromCharCode(byte)));

/** Header values and reason phrases: no control character but the tab, so no bare CR, LF or NUL. */
export const TEXT = tableOf((byte) => byte === HTAB || (byte >= SP && byte !== 127));

/**
 * Request targets: all that is visible ASCII, though no URI may have some of it, but not `#`. A fragment is not sent (RFC 9112
 * section 3.2.1); where one is, two parsers would cut the target differently.
 */
export const TARGET = tableOf((byte) => byte > SP && byte < 127 && byte !== 35);

/** The value of a hexadecimal digit, and -1 for all that is none. */
export const HEX = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = String.fromCharCode(byte);
  return /[0-9a-fA-F]/.test(digit) ? Number.parseInt(digit, 16) : -1;
});

function tableOf(includes: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (includes(byte) ? 1 : 0));
}
