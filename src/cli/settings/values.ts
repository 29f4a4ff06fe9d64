/** How the values of flags are written: `500ms`, `64kb`, `4000`. */

/** Reads one kind of value. */
export interface ValueKind<Value> {
  /** The rule, as it completes "--port takes …". */
  readonly takes: string;
  /** The value, or undefined when the text breaks the rule. */
  parse(text: string): Value | undefined;
}

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const BYTES = { '': 1, b: 1, kb: 1_024, mb: 1_048_576, gb: 1_073_741_824 } as const;

/** A duration, in milliseconds. `off` says what 0 means; without it, 0 is not allowed. */
export function duration(longest: number, off?: string): ValueKind<number> {
  const zero = off === undefined ? '' : `, or 0 for ${off}`;
  return {
    takes: `a duration like 500ms, 1s or 2m${zero}`,
    parse(text) {
      if (text === '0') return off === undefined ? undefined : 0;
      const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/i.exec(text);
      if (match === null) return undefined;
      const unit = match[2]!.toLowerCase() as keyof typeof MILLISECONDS;
      const value = Math.round(Number(match[1]) * MILLISECONDS[unit]);
      return value >= 1 && value <= longest ? value : undefined;
    },
  };
}

/** A size, in bytes. */
export function size(least: number, most: number): ValueKind<number> {
  return {
    takes: `a size from ${showSize(least)} to ${showSize(most)}, written like 4096, 64kb or 1mb`,
    parse(text) {
      const match = /^(\d+(?:\.\d+)?)(|b|kb|mb|gb)$/i.exec(text);
      if (match === null) return undefined;
      const unit = match[2]!.toLowerCase() as keyof typeof BYTES;
      const value = Math.round(Number(match[1]) * BYTES[unit]);
      return value >= least && value <= most ? value : undefined;
    },
  };
}

/** A whole number. */
export function whole(least: number, most: number, note = ''): ValueKind<number> {
  return {
    takes: `a whole number from ${least} to ${most}${note}`,
    parse(text) {
      if (!/^\d+$/.test(text)) return undefined;
      const value = Number(text);
      return value >= least && value <= most ? value : undefined;
    },
  };
}

/** One of a few words. */
export function oneOf<Word extends string>(words: readonly Word[]): ValueKind<Word> {
  return {
    takes: `one of ${words.join(', ')}`,
    parse: (text) => words.find((word) => word === text.toLowerCase()),
  };
}

/** Any text, for what only others can check. `what` completes "--flag takes …". */
export function text(what: string): ValueKind<string> {
  return { takes: what, parse: (given) => given };
}

/** A switch; as a flag it stands alone, in the environment it has a value. */
export const yesOrNo: ValueKind<boolean> = {
  takes: 'true or false',
  parse: (text) => ({ true: true, '1': true, false: false, '0': false })[text.toLowerCase()],
};

/** The name or address of a network interface. */
export const hostName: ValueKind<string> = {
  takes: 'a host name or an IP address, like 127.0.0.1, ::1 or 0.0.0.0',
  parse(text) {
    const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
    return /^[A-Za-z0-9.:_%-]+$/.test(bare) ? bare : undefined;
  },
};

/** A name that the gateway is reached by, without port, or `*` for all. */
export const allowedHost: ValueKind<string> = {
  takes: 'a host name without port, like millrace.internal, or *',
  parse: (text) => (text === '*' || /^[A-Za-z0-9._-]+$/.test(text) ? text : undefined),
};

/** Where web pages come from, as browsers send it: `https://app.example.com`, or `*` for all. */
export const webOrigin: ValueKind<string> = {
  takes: 'an origin like https://app.example.com (scheme, host, port, nothing else), or *',
  parse(text) {
    if (text === '*') return text;
    if (!URL.canParse(text)) return undefined;
    const { origin, href } = new URL(text);
    return origin !== 'null' && href === `${origin}/` ? origin : undefined;
  },
};

/** `1048576` as `1mb`. */
export function showSize(bytes: number): string {
  for (const [unit, factor] of Object.entries(BYTES).reverse()) {
    if (factor > 1 && bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

/** `1000` as `1s`. */
export function showDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0';
  for (const [unit, factor] of Object.entries(MILLISECONDS).reverse()) {
    if (milliseconds % factor === 0) return `${milliseconds / factor}${unit}`;
  }
  return `${milliseconds}ms`;
}
