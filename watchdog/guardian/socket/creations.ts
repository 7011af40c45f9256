// May a container of this name be made from this body? It has to be the twin of one that is or was there: of the same name, of another
// replica of its service that is there, as it is or of what its image's name means now, or of an earlier version of that service, with no
// more rights than it has now.

import { composeLabel } from "../../engines/docker/compose-labels.ts";
import { nameOf } from "../../engines/docker/container-names.ts";
import { type ImageDocument, ofImage } from "../../engines/docker/twin/new-image.ts";
import { asReplica } from "../../engines/docker/twin/replica.ts";
import type { EngineClient } from "./engine-client.ts";
import type { Memory } from "./memory.ts";
import { candidates, type Kept, latestFirst, ofEarlierMakings } from "./rules/kept.ts";
import { targetOf, targetText } from "./rules/request-target.ts";
import { otherRights } from "./rules/rights.ts";
import { type FilterScope, namesOf, numberIn, whyNotChange } from "./rules/subject.ts";
import { checkTwin, type TwinCheck, type TwinKnowledge } from "./rules/twin-check.ts";
import type { SubjectLookup } from "./subject-lookup.ts";

export interface CreationsParts {
  readonly engine: EngineClient;
  readonly memory: Memory;
  readonly lookup: SubjectLookup;
}

interface Asking {
  readonly version: string;
  readonly scope: FilterScope;
  readonly signal: AbortSignal;
}

interface Creation extends Asking {
  readonly name: string;
  readonly body: unknown;
  readonly knowledge: TwinKnowledge;
}

export type JudgedCreation =
  /** From this, which was written here. */
  | { readonly kind: "made"; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: "refused"; readonly reason: string };

/** So many containers of a service are asked after, at most. */
const ASKED_MAX = 64;

export class Creations {
  readonly #parts: CreationsParts;

  constructor(parts: CreationsParts) {
    this.#parts = parts;
  }

  /** @throws when the engine does not answer */
  async judge(name: string, body: unknown, asking: Asking): Promise<JudgedCreation> {
    const { memory } = this.#parts;
    // Another guardian of the project may have seen it.
    if (memory.looks(name).length === 0) await memory.read();
    const looks = memory.looks(name);
    const isKnown = looks.some((look) => namesOf(nameOf(look)).has(name));
    if (looks.length > 0 && !isKnown) return refused(`no container of ours is or was called ${name}`);
    if (looks.length === 0 && numberIn(name) === undefined)
      return refused(`no container of ours is or was called ${name}`);
    const knowledge = {
      tagged: await this.#imageId(body, asking),
      serviceOf: (id: string) => memory.serviceOf(id),
    };
    const creation = { ...asking, name, body, knowledge };
    const own = isKnown ? await this.#asItself(looks, creation) : await this.#asReplica(creation);
    const check =
      own?.kind === "twin" ? own : ((await this.#asFormer(creation)) ?? (await this.#ofNewerImage(creation)) ?? own);
    if (check?.kind === "twin") return { kind: "made", body: check.body };
    return refused(
      check === undefined
        ? `no replica of ours that is there is as ${name} is to be`
        : `a container that is not as ${name} was: ${check.differs}`,
    );
  }

  async #asItself(looks: readonly Kept[], creation: Creation): Promise<TwinCheck> {
    const earlier = await Promise.all(ofEarlierMakings(looks).map((id) => this.#parts.lookup.inspect(id, creation)));
    const there = new Set(earlier.flatMap((look) => (look.kind === "found" ? [look.subject.id] : [])));
    const own = checkTwin(creation.body, candidates(looks, there), creation.knowledge);
    return own.kind === "twin" ? own : ((await this.#asSibling(creation)) ?? own);
  }

  /** One more replica, under a number that none has had, and like one that is there. */
  async #asReplica(creation: Creation): Promise<TwinCheck | undefined> {
    const { name, body, knowledge } = creation;
    for (const sibling of this.#parts.memory.replicasLike(name)) {
      const check = asAnother(sibling, name, body, knowledge);
      if (check?.kind === "twin" && (await this.#isThere(sibling, creation))) return check;
    }
    return undefined;
  }

  /**
   * A roll makes replicas like one that Compose has made meanwhile: what is there as one of a service may be there as another one of it.
   * @returns undefined for what is no such twin
   */
  async #asSibling({ name, body, knowledge, ...asking }: Creation): Promise<TwinCheck | undefined> {
    const { memory, lookup } = this.#parts;
    const number = memory.looks(name).at(-1)?.Config.Labels?.[composeLabel.number];
    if (number === undefined) return undefined;
    for (const sibling of memory.siblings(name)) {
      const check = checkTwin(body, [asReplica(sibling, number) as Kept], knowledge);
      if (check.kind === "twin" && (await lookup.inspect(sibling.Id, asking)).kind === "found") return check;
    }
    return undefined;
  }

  /** A replica of an earlier version, for a rollback. @returns undefined for what is no such twin */
  async #asFormer(creation: Creation): Promise<TwinCheck | undefined> {
    const { name, body, knowledge } = creation;
    const looks = latestFirst(this.#parts.memory.allReplicasLike(name));
    const former = looks.flatMap((kept) => {
      const check = asAnother(kept, name, body, knowledge);
      return check?.kind === "twin" ? [{ kept, check }] : [];
    })[0];
    if (former === undefined) return undefined;
    const now = await this.#newestThere(looks, creation);
    if (now === undefined) return undefined;
    const differs = otherRights(former.kept, now);
    return differs === undefined ? former.check : { kind: "other", differs: `it had other rights before, ${differs}` };
  }

  /** What a name means is decided by whoever may give names to images, which is nobody here. */
  async #ofNewerImage(creation: Creation): Promise<TwinCheck | undefined> {
    const { name, body, knowledge } = creation;
    const { Image: image } = body as { readonly Image?: unknown };
    for (const sibling of this.#parts.memory.replicasLike(name)) {
      if (sibling.Config.Image !== image || sibling.Image === knowledge.tagged) continue;
      const [was, is] = await Promise.all([sibling.Image, sibling.Config.Image].map((of) => this.#image(of, creation)));
      const next = was && is && ofImage(sibling, was, is);
      const check = next && asAnother(next as Kept, name, body, knowledge);
      if (check?.kind === "twin" && (await this.#isThere(sibling, creation))) return check;
    }
    return undefined;
  }

  async #newestThere(looks: readonly Kept[], asking: Asking): Promise<Kept | undefined> {
    const byId = new Map(looks.map((look) => [look.Id, look]).reverse() as [string, Kept][]);
    const newest = latestFirst([...byId.values()]).slice(0, ASKED_MAX);
    for (const look of newest) if (await this.#isThere(look, asking)) return look;
    return undefined;
  }

  async #isThere({ Id }: Kept, asking: Asking): Promise<boolean> {
    const looked = await this.#parts.lookup.inspect(Id, asking);
    return looked.kind === "found" && whyNotChange(looked.subject, asking.scope) === undefined;
  }

  /** The id of the image that is asked for, whatever it is called; undefined: there is none. */
  async #imageId(body: unknown, asking: Asking): Promise<string | undefined> {
    const { Image } = (body ?? {}) as { readonly Image?: unknown };
    return (await this.#image(String(Image), asking))?.Id;
  }

  async #image(name: string, { version, signal }: Asking): Promise<ImageDocument | undefined> {
    const image = targetOf(`${version}/images/${name}/json`);
    if (typeof image === "string") return undefined;
    const answer = await this.#parts.engine.read({ method: "GET", target: targetText(version, image.path), signal });
    return answer.status === 200 ? (JSON.parse(answer.bytes.toString()) as ImageDocument) : undefined;
  }
}

/** @returns undefined where a replica of that name would be none of its service */
function asAnother(kept: Kept, name: string, body: unknown, knowledge: TwinKnowledge): TwinCheck | undefined {
  const number = numberIn(name);
  if (number === undefined) return undefined;
  const like = asReplica(kept, number) as Kept;
  return nameOf(like) === name ? checkTwin(body, [like], knowledge) : undefined;
}

const refused = (reason: string) => ({ kind: "refused", reason }) as const;
