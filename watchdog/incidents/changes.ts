// Pure. What a heal changed: (the member before, its successor) -> lines for people.

/** What is known of a member, by name, such as `{ image: "sha256:...", port: 9004, generation: 3 }`. */
export type MemberTraits = Readonly<Record<string, string | number | undefined>>;

/**
 * Lines such as "port: 9004 > 9005", in the order of `before`. What is known of one side alone is no change: a slot that
 * nothing filled had no port that could be another now.
 */
export function changesBetween(before: MemberTraits, after: MemberTraits): string[] {
  return Object.entries(before).flatMap(([name, was]) => {
    const now = after[name];
    return was === undefined || now === undefined || was === now ? [] : [`${name}: ${was} > ${now}`];
  });
}
