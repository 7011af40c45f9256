// Pure. The labels by which Compose knows its containers (compose pkg/api/labels.go), and the slot that they name.

const PREFIX = "com.docker.compose";

export const composeLabel = {
  project: `${PREFIX}.project`,
  service: `${PREFIX}.service`,
  number: `${PREFIX}.container-number`,
  configHash: `${PREFIX}.config-hash`,
  oneOff: `${PREFIX}.oneoff`,
  version: `${PREFIX}.version`,
} as const;

type Labels = Readonly<Record<string, string>>;

/** A slot is named after its service, and after the container's number where that is not 1. */
export function slotIdOf(labels: Labels): string | undefined {
  const { [composeLabel.service]: service, [composeLabel.number]: number = "1" } = labels;
  return service === undefined || number === "1" ? service : `${service}-${number}`;
}

/** As the engine's filters take it. */
export function ofProject(project: string): string {
  return `${composeLabel.project}=${project}`;
}

/** Made by `docker compose up`, not by `docker compose run`. */
export const NOT_ONE_OFF = `${composeLabel.oneOff}=False`;

export function isOneOff(labels: Labels): boolean {
  return labels[composeLabel.oneOff] === "True";
}
