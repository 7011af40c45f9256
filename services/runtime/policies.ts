// Pure. How a tier may choose among members that are equally well.

export const policies = ["round-robin", "random", "least-requests"] as const;
