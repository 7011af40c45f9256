// Programs that know nothing of us, each the first of a process group: signalled as a group, and gone as a whole. A shell beside us,
// which hears of every group by a pipe, ends those that are left when we are gone, however we went: its pipe closes.

import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** `+ 12` and `- 12` on its stdin; at their end whoever is left is asked to stop, and ended outright ten seconds later. */
const GUARD = `
trap '' HUP INT QUIT TERM
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
signal() {
  some=no
  for group in $groups; do kill -s "$1" -- "-$group" 2>/dev/null && some=yes; done
}
signal TERM
for second in 1 2 3 4 5 6 7 8 9 10; do
  signal 0
  [ $some = yes ] || exit 0
  sleep 1
done
signal KILL
`;
const GUARD_AGAIN_MS = 1_000;
const LOOK_MS = 20;
/** What was killed is gone by then, or will not go: a process that nobody waits for stays in its group. */
const KILLED_WITHIN_MS = 1_000;

interface Group {
  /** It was asked to stop. */
  asked: boolean;
  killedMs?: number;
}

export class GroupGuard {
  readonly #groups = new Map<number, Group>();
  #shell: ChildProcess | undefined;

  /** From now on the group goes with us. */
  add(group: number): void {
    this.#groups.set(group, { asked: false });
    if (this.#shell === undefined) this.#start();
    else this.#tell(`+ ${group}\n`);
  }

  signal(group: number, signal: NodeJS.Signals): void {
    const known = this.#groups.get(group);
    if (known === undefined) return;
    if (signal === "SIGKILL") known.killedMs ??= performance.now();
    else if (signal === "SIGTERM") known.asked = true;
    signalGroup(group, signal);
  }

  /**
   * Its first process has ended. Where it was asked to stop, the others may take as long as it could have taken; else they end with it.
   * Resolves when nobody is left.
   */
  async emptied(group: number): Promise<void> {
    const known = this.#groups.get(group);
    if (known === undefined) return;
    if (!known.asked) this.signal(group, "SIGKILL");
    while (signalGroup(group, 0) && !isOver(known)) await delay(LOOK_MS);
    this.#groups.delete(group);
    this.#tell(`- ${group}\n`);
  }

  #start(): void {
    const shell = spawn("/bin/sh", ["-c", GUARD], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#shell = shell;
    shell.stdin?.on("error", () => {});
    // It has to end with us, not we with it.
    shell.unref();
    (shell.stdin as unknown as { unref(): void } | null)?.unref();
    const again = () => {
      if (this.#shell !== shell) return;
      this.#shell = undefined;
      setTimeout(() => this.#groups.size > 0 && this.#shell === undefined && this.#start(), GUARD_AGAIN_MS).unref();
    };
    shell.once("exit", again).once("error", again);
    for (const group of this.#groups.keys()) this.#tell(`+ ${group}\n`);
  }

  #tell(line: string): void {
    this.#shell?.stdin?.write(line);
  }
}

function isOver({ killedMs }: Group): boolean {
  return killedMs !== undefined && performance.now() - killedMs > KILLED_WITHIN_MS;
}

/** @returns is anybody there? */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
