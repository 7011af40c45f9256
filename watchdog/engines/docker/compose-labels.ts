// Pure. The labels by which Compose knows its containers (compose pkg/api/labels.go).

const PREFIX = "com.docker.compose";

export const composeLabel = {
  project: `${PREFIX}.project`,
  service: `${PREFIX}.service`,
  number: `${PREFIX}.container-number`,
  configHash: `${PREFIX}.config-hash`,
  /** The image's id, or a digest of it. */
  image: `${PREFIX}.image`,
  oneOff: `${PREFIX}.oneoff`,
  version: `${PREFIX}.version`,
  /** On what `docker compose up` makes in the place of another: which. */
  replaces: `${PREFIX}.replace`,
} as const;

type Labels = Readonly<Record<string, string>>;

/** As the engine's filters take it. */
export function ofProject(project: string): string {
  return `${composeLabel.project}=${project}`;
}

/** Made by `docker compose up`, not by `docker compose run`. */
export const NOT_ONE_OFF = `${composeLabel.oneOff}=False`;

export function isOneOff(labels: Labels): boolean {
  return labels[composeLabel.oneOff] === "True";
}

/** Is it one of Compose's, known here or not? */
export function isComposeLabel(name: string): boolean {
  return name.startsWith(`${PREFIX}.`);
}
