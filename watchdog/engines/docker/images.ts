// The images as the engine has them: which one a name means, and what a container would be, were it made from what its name means now.

import type Docker from "dockerode";
import { ignoring } from "./connection.ts";
import type { Inspected } from "./containers/document.ts";
import { type ImageDocument, ofImage } from "./twin/new-image.ts";

export type NewerImage =
  | { readonly kind: "newer"; readonly inspected: Inspected }
  | { readonly kind: "none"; readonly reason: string };

export class Images {
  readonly #docker: Docker;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  /** @returns undefined where there is none of that name or id */
  async find(name: string): Promise<ImageDocument | undefined> {
    return (await ignoring([404], this.#docker.getImage(name).inspect())) as ImageDocument | undefined;
  }

  async newer(container: Inspected): Promise<NewerImage> {
    const { Image: id, Config } = container;
    const [was, is] = await Promise.all([this.find(id), this.find(Config.Image)]);
    if (is === undefined || Config.Image.startsWith("sha256:"))
      return none(`no image is called ${Config.Image}: build or pull it`);
    if (is.Id === id) return none(`its image ${Config.Image} is still the one that it runs`);
    if (was === undefined) return none(`the image that it runs is gone, so nobody knows what of it is the image's`);
    const inspected = ofImage(container, was, is);
    return inspected === undefined
      ? none(`nobody but Compose knows how it calls the new ${Config.Image}: let it make the sample`)
      : { kind: "newer", inspected };
  }
}

const none = (reason: string): NewerImage => ({ kind: "none", reason });
