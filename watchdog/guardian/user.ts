// The user that the watchdog runs as, where the guardian may choose one: as root with the capabilities SETUID and SETGID, and none
// besides. What is another user's that guardian may not signal or enter; it does so as that user, for the moment.

export interface WatchdogUser {
  readonly uid: number;
  /** Nobody else's: what the watchdog writes for itself, this group alone may read. Members are the same user in another one. */
  readonly gid: number;
}

/** @param text as WATCHDOG_USER has it, such as 1000:8404; undefined: there is none */
export function userIn(text: string | undefined): WatchdogUser | undefined {
  const [, uid, gid] = /^(\d{1,9}):(\d{1,9})$/.exec(text ?? "") ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** May we start a process as this user? From then on we are in its group as well. */
export function mayBecome({ uid, gid }: WatchdogUser): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    process.setgroups?.([gid]);
    return asUser({ uid, gid }, () => process.geteuid?.() === uid);
  } catch {
    return false;
  }
}

/** Goes on as this user, for good. Where that is not ours to choose, as whoever we are. @param text see userIn */
export function goOnAs(text: string | undefined): void {
  const user = userIn(text);
  if (user === undefined || process.getuid?.() !== 0) return;
  try {
    process.setgroups?.([]);
    process.setgid?.(user.gid);
    process.setuid?.(user.uid);
  } catch {
    // Without the capabilities.
  }
}

/** Signals another user's process. @returns whether it is there */
export function signalAs(user: WatchdogUser, pid: number, signal: NodeJS.Signals): boolean {
  try {
    return asUser(user, () => process.kill(pid, signal));
  } catch {
    return false;
  }
}

/** Nothing else of ours runs meanwhile: `act` is one synchronous turn. */
export function asUser<Value>({ uid }: WatchdogUser, act: () => Value): Value {
  const own = process.geteuid?.() ?? 0;
  process.seteuid?.(uid);
  try {
    return act();
  } finally {
    process.seteuid?.(own);
  }
}
