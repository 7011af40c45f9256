// Pure. The container that a call is about, and whether it may be: looked at where it is of our project, changed where it is a
// member too. The guardian's own container is nobody's to change from in here: with it would go what starts the watchdog again.

import type { ContainerInspectInfo } from "dockerode";
import { composeLabel, isOneOff } from "../../../engines/docker/compose-labels.ts";
import { bareName, nameOf, PREVIOUS_SUFFIX } from "../../../engines/docker/container-names.ts";
import { slotOf } from "../../../engines/docker/containers/slot.ts";

export interface CallSubject {
  readonly id: string;
  readonly name: string;
  readonly project: string | undefined;
  readonly service: string | undefined;
  /** Do its labels make it ours to look after, and did `docker compose up` make it, or a watchdog? */
  readonly isMember: boolean;
}

export interface FilterScope {
  readonly project: string | undefined;
  /** The container that the filter runs in. */
  readonly self: string | undefined;
}

export function subjectOf(inspected: ContainerInspectInfo): CallSubject {
  const labels = inspected.Config.Labels ?? {};
  return {
    id: inspected.Id,
    name: nameOf(inspected),
    project: labels[composeLabel.project],
    service: labels[composeLabel.service],
    isMember: slotOf(inspected) !== undefined && !isOneOff(labels),
  };
}

/** @returns the reason */
export function whyNotLookAt(subject: CallSubject, { project, self }: FilterScope): string | undefined {
  if (self !== undefined && subject.id === self) return undefined;
  return project !== undefined && subject.project === project ? undefined : "a container of somebody else's";
}

/** @returns the reason */
export function whyNotChange(subject: CallSubject, scope: FilterScope): string | undefined {
  if (subject.id === scope.self) return "the watchdog's own container";
  return whyNotLookAt(subject, scope) ?? (subject.isMember ? undefined : "a container that no label makes ours");
}

/** A member keeps its name, with what says that it is a previous one or without. @returns the reason */
export function whyNotRename(subject: CallSubject, name: string, scope: FilterScope): string | undefined {
  const reason = whyNotChange(subject, scope);
  if (reason !== undefined) return reason;
  const names = namesOf(subject.name);
  return names.has(name) || names.has(withoutSuffix(name)) ? undefined : "a name of others";
}

/** What a container of this name, or its twin, may be called: what Compose called it, in the making or when it was made. */
export function namesOf(name: string): ReadonlySet<string> {
  return new Set([withoutSuffix(name), bareName(name)]);
}

/** So many replicas of a service may be made through a filter, at most. */
const NUMBER_MAX = 256;

/** The number of the replica that has this name; undefined: it is none's. */
export function numberIn(name: string): string | undefined {
  const number = /[-_]([1-9]\d{0,2})$/.exec(name)?.[1];
  return Number(number) <= NUMBER_MAX ? number : undefined;
}

function withoutSuffix(name: string): string {
  return name.endsWith(PREVIOUS_SUFFIX) ? name.slice(0, -PREVIOUS_SUFFIX.length) : name;
}
