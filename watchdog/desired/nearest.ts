// Pure. The word that somebody meant who wrote another one: the nearest by edit distance (Levenshtein 1966), where one is near.

const LENGTH_MAX = 64;

/** @returns undefined when none is within a third of its letters, and two at least */
export function nearest(given: string, words: readonly string[]): string | undefined {
  if (given.length > LENGTH_MAX) return undefined;
  let best: { readonly word: string; readonly edits: number } | undefined;
  for (const word of words) {
    const edits = distance(given.toLowerCase(), word);
    if (edits <= Math.max(2, word.length / 3) && edits < word.length && (best === undefined || edits < best.edits))
      best = { word, edits };
  }
  return best?.word;
}

/** How many letters to insert, remove or change. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const changed = (row[j - 1] as number) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[other.length] as number;
}
