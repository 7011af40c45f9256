// Reads what somebody else sends, as a whole and no further than agreed: an answer without an end costs its reader no more.

/** @returns undefined when there is more than that; the rest is left, and leaving it closes a stream of Node's */
export async function readWithin(source: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer | undefined> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of source) {
    bytes += piece.length;
    if (bytes > bytesMax) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
