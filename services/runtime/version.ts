// The version of this Evenkeel, for whoever has to say it.

import manifest from "../../package.json" with { type: "json" };

export const { version } = manifest;
