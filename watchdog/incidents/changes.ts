// Pure. What a heal changed: (what is known of the member before, and of its successor) -> lines for people.

/** Facts by name, such as `{ image: "sha256:...", port: 9004, generation: 3 }`. */
export type Facts = Readonly<Record<string, string | number | undefined>>;

/**
 * Lines such as "port: 9004 > 9005", in the order of `before`. A fact that is known on one side alone is no change: a slot
 * that nothing filled had no port that could be another now.
 */
export function changesBetween(before: Facts, after: Facts): string[] {
  return Object.entries(before).flatMap(([name, was]) => {
    const now = after[name];
    return was === undefined || now === undefined || was === now ? [] : [`${name}: ${was} > ${now}`];
  });
}
