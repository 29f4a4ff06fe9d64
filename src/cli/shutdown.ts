/** From the first signal to the end of the process. */

/** What a shutdown needs from the process; tests hand in their own. */
export interface ProcessControl {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): void;
  exit(code: number): void;
}

/**
 * A terminal's Ctrl-C reaches the whole process group, and npm passes it on once more: two
 * signals within this many milliseconds are one.
 */
const SAME_SIGNAL = 500;
/** Whoever stops us kills us after 10 s; being late by then is a failure to be told. */
const DEADLINE = 9_500;
const SIGNAL_NUMBER: Readonly<Record<string, number>> = { SIGINT: 2, SIGTERM: 15 };

/**
 * Runs `stop` at the first SIGTERM or SIGINT and then exits with 0; with 1 when it fails or
 * takes longer than 9.5 s. A second signal exits at once.
 * @param onSignal is told which signal it was
 * @param onFailure is told why it ends with 1
 */
export function stopOnSignal(
  control: ProcessControl,
  stop: () => Promise<void>,
  onSignal: (signal: NodeJS.Signals) => void,
  onFailure: (error: unknown) => void,
): void {
  let stoppingSince: number | undefined;

  const handle = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (stoppingSince !== undefined) {
      if (now - stoppingSince >= SAME_SIGNAL) control.exit(128 + (SIGNAL_NUMBER[signal] ?? 0));
      return;
    }
    stoppingSince = now;
    onSignal(signal);
    const deadline = setTimeout(() => {
      onFailure(new Error(`not everything came to its end within ${DEADLINE} ms`));
      control.exit(1);
    }, DEADLINE);
    stop().then(
      () => {
        clearTimeout(deadline);
        control.exit(0);
      },
      (error: unknown) => {
        clearTimeout(deadline);
        onFailure(error);
        control.exit(1);
      },
    );
  };

  control.on('SIGTERM', handle);
  control.on('SIGINT', handle);
}
