// Pure. One replica's container as another one of the same service: all alike but for the number, and the name that holds it.

import { composeLabel } from "../compose-labels.ts";
import { anonymousVolume, type Inspected } from "../containers/document.ts";

const NUMBER = /([-_])\d+$/;

/** Compose names it PROJECT-SERVICE-NUMBER, and gives it that as an alias (compose pkg/compose/create.go). */
export function asReplica(original: Inspected, number: string): Inspected {
  const { Name, Config, NetworkSettings, Mounts } = original;
  const name = Name.replace(NUMBER, `$1${number}`);
  const [was, now] = [Name, name].map((each) => each.replace(/^\//, "")) as [string, string];
  const networks = Object.entries(NetworkSettings.Networks ?? {}).map(([network, endpoint]) => {
    const aliases = endpoint.Aliases?.map((alias) => (alias === was ? now : alias));
    return [network, { ...endpoint, ...(aliases && { Aliases: aliases }) }];
  });
  return {
    ...original,
    Name: name,
    // Those of the original are its own; another replica gets new ones.
    ...(Mounts && { Mounts: Mounts.filter(({ Type, Name = "" }) => Type !== "volume" || !anonymousVolume.test(Name)) }),
    Config: { ...Config, Labels: { ...Config.Labels, [composeLabel.number]: number } },
    NetworkSettings: { ...NetworkSettings, Networks: Object.fromEntries(networks) },
  };
}
