// Pure. The largest heads of responses that are taken, and by how much a tier may make any head longer: the next tier takes so much more,
// so that what one tier takes passes both.

interface HeadLimits {
  readonly headBytesMax: number;
  readonly fieldsMax: number;
}

/** A server's. */
const HEAD_BYTES_MAX = 64 * 1024;
const FIELDS_MAX = 1_000;
/**
 * Hosts of 255 bytes are written up to three times; and where Connection names a header all lines are written anew, each with a space
 * behind its colon, which may have had none.
 */
export const HEAD_BYTES_ADDED = 2_048;
/** The same beside the headers that only tiers write. */
export const HEAD_BYTES_REWRITTEN = 512;
const FIELDS_ADDED = 16;

/** @param fromTier is it a tier of ours that responds, perhaps for a server behind it? */
export function responseLimits(fromTier: boolean): HeadLimits {
  return {
    headBytesMax: HEAD_BYTES_MAX + (fromTier ? HEAD_BYTES_ADDED : 0),
    fieldsMax: FIELDS_MAX + (fromTier ? FIELDS_ADDED : 0),
  };
}
