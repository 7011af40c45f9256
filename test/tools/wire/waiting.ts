// How tests on raw connections wait: for each other, and for what has to come, with a limit that says what did not.

/** Far above what anything here takes, even on a busy machine. */
export const PATIENCE_MS = 8_000;

export interface Gate {
  readonly open: () => void;
  readonly opened: Promise<void>;
}

/** For one side of a test to wait for the other. */
export function gate(): Gate {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}
