/**
 * What code that is not ours may throw, answer or hand over: anything. An error whose message is a
 * number, an object without a prototype, a proxy that throws when it is looked at, `undefined`.
 * Whoever catches something of an application's looks at it through these: none of them throws.
 */

/** In UTF-16 units: messages end up in logs and in dead letters. */
const LONGEST_TEXT = 1_000;
const LONGEST_NAME = 100;
/** Of an error that goes into a log with its stack. */
const LONGEST_MESSAGE = 10_000;
const UNTELLABLE = 'something was thrown that cannot be looked at';

/**
 * What was thrown, in words, at most 1,000 of their characters: the message of an error, or what
 * else it was.
 */
export function textOf(thrown: unknown): string {
  return attempt(() => bounded(describe(thrown), LONGEST_TEXT)) ?? UNTELLABLE;
}

/** Of what kind it was, for where nothing of its content may go: `TypeError`, `undefined`. */
export function kindOf(thrown: unknown): string {
  return attempt(() => bounded(kind(thrown), LONGEST_NAME)) ?? UNTELLABLE;
}

/** `thrown instanceof kind`, for all that can be thrown. */
export function isA<Kind>(
  thrown: unknown,
  kind: abstract new (...parameters: never) => Kind,
): thrown is Kind {
  return attempt(() => thrown instanceof kind) ?? false;
}

/** The `code` of an error, if it has one that can be read. */
export function codeOf(thrown: unknown): unknown {
  return attempt(() => (thrown as { readonly code?: unknown } | null | undefined)?.code);
}

/** Where in the source it was thrown, if that can be told: the first line of its stack. */
export function thrownAt(thrown: unknown): string | undefined {
  return attempt(() => {
    const { stack, message } = thrown as Error;
    // The message comes first, and may look like a line of the stack.
    const lines = String(stack).slice(String(message).length);
    const frame = /^\s+at (.*)$/m.exec(lines)?.[1];
    return frame === undefined ? undefined : bounded(frame, LONGEST_TEXT);
  });
}

/** Of what kind it was and where it was thrown, with nothing of its content. */
export function kindAndPlace(thrown: unknown): string {
  const place = thrownAt(thrown);
  return `${kindOf(thrown)}${place === undefined ? '' : ` at ${place}`}`;
}

/** What was thrown if that is an error as they should be, and otherwise one that tells of it. */
export function asError(thrown: unknown): Error {
  const isPlain = attempt(
    () =>
      thrown instanceof Error &&
      typeof thrown.message === 'string' &&
      thrown.message.length <= LONGEST_MESSAGE &&
      typeof thrown.name === 'string' &&
      (thrown.stack === undefined || typeof thrown.stack === 'string'),
  );
  return isPlain === true ? (thrown as Error) : new Error(textOf(thrown));
}

/**
 * Whether an answer comes later, as a promise, where it has to come at once. Nobody waits for it
 * then, so that its failure must not end the process either.
 */
export function comesLater(answer: unknown): boolean {
  if (answer === null || (typeof answer !== 'object' && typeof answer !== 'function')) return false;
  if (typeof (answer as { readonly then?: unknown }).then !== 'function') return false;
  void Promise.resolve(answer).catch(() => {});
  return true;
}

/**
 * A callback of an application's that is only told something: what it throws, or what its promise
 * is rejected with, changes nothing of what it was told about. The first time that is told.
 * @param name as its author knows it, like `onNotice`
 */
export function onlyTold<Parameters extends readonly unknown[]>(
  name: string,
  callback: (...parameters: Parameters) => unknown,
): (...parameters: Parameters) => void {
  let isKnown = false;
  const failed = (error: unknown) => {
    if (!isKnown) console.error(`millrace: ${name} threw: ${textOf(error)}`);
    isKnown = true;
  };
  return (...parameters) => {
    try {
      const answer = callback(...parameters);
      if (typeof answer === 'object' && answer !== null && 'then' in answer) {
        Promise.resolve(answer).catch(failed);
      }
    } catch (error) {
      failed(error);
    }
  };
}

function describe(thrown: unknown): string {
  if (typeof thrown === 'function') return `${kind(thrown)} was thrown`;
  if (typeof thrown !== 'object' || thrown === null) return `${String(thrown) || 'an empty text'}`;
  const message = attempt(() => (thrown as { readonly message?: unknown }).message);
  if (typeof message === 'string' && message !== '') return message;
  if (message !== undefined && message !== '' && typeof message !== 'object') {
    return `${kind(thrown)}: ${String(message)}`;
  }
  if (attempt(() => thrown instanceof Error)) return `${kind(thrown)}, without a message`;
  const text = attempt(() => String(thrown));
  return text === undefined || text.startsWith('[object ') ? `${kind(thrown)} was thrown` : text;
}

function kind(thrown: unknown): string {
  if (typeof thrown === 'function') return 'a function';
  if (typeof thrown !== 'object' || thrown === null) {
    return thrown === undefined || thrown === null ? String(thrown) : `a ${typeof thrown}`;
  }
  if (attempt(() => thrown instanceof Error)) {
    const name = attempt(() => (thrown as Error).name);
    return typeof name === 'string' && name !== '' ? name : 'an error';
  }
  const name = attempt(() => thrown.constructor.name);
  const isNamed = typeof name === 'string' && name !== '' && name !== 'Object';
  return isNamed ? `an object that is no error (${name})` : 'an object that is no error';
}

function bounded(text: string, most: number): string {
  return (text.length > most ? `${text.slice(0, most - 1)}…` : text).toWellFormed();
}

function attempt<Answer>(look: () => Answer): Answer | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
