// Which template a container is to be made from: its slot's own, that of another replica, or another version of either.

import { type Slot, serviceOf } from "../../../desired/slot.ts";
import type { Wanted } from "../../runner.ts";
import { makingOf } from "../containers/inspected.ts";
import type { Images } from "../images.ts";
import { asReplica } from "./replica.ts";
import type { Template, Templates } from "./templates.ts";
import type { Versions } from "./versions.ts";

interface Sources {
  readonly templates: Templates;
  readonly versions: Versions;
  readonly images: Images;
}

/** @throws when the image is another by now than was wanted */
export async function templateFor(
  { templates, versions, images }: Sources,
  slot: Slot,
  { from, version }: Pick<Wanted, "from" | "version">,
): Promise<Template | undefined> {
  if (from === undefined) return templates.get(slot.id);
  if (version?.kind === "former") return templateLike(versions.get(serviceOf(slot), version.making), slot);
  const like = templates.get(from);
  if (version === undefined || like === undefined) return templateLike(like, slot);
  const newer = await images.newer(like.inspected);
  if (newer.kind === "none") throw new Error(newer.reason);
  if (makingOf(newer.inspected) !== version.making) throw new Error("its image is another one again");
  return templateLike({ ...like, inspected: newer.inspected }, slot);
}

/** That of another replica, as it is for this slot. */
function templateLike(template: Template | undefined, slot: Slot): Template | undefined {
  const number = /\d+$/.exec(slot.id)?.[0];
  if (template === undefined || number === undefined) return undefined;
  return { ...template, slot, inspected: asReplica(template.inspected, number) };
}
