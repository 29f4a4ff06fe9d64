/**
 * What has to be true at the end, whatever happened in between. Pure: it is handed what clients were
 * told, and what the logs hold.
 */

/** One append, as the client that made it saw it. */
export interface SentAppend {
  readonly device: string;
  readonly log: string;
  /** What each of its events says, unlike all others. */
  readonly marks: readonly string[];
  /**
   * `settled`: it was told that the log has it, with these IDs. `refused`: that it has not. `kept`: that
   * it is kept, and then it was reloaded. `unknown`: it was reloaded before it was told anything.
   */
  readonly told: 'settled' | 'refused' | 'kept' | 'unknown';
  readonly ids?: readonly string[];
}

export interface LoggedEvent {
  readonly id: string;
  readonly mark: string;
}

export interface Outcome {
  /** In the order in which each device made them. */
  readonly appends: readonly SentAppend[];
  readonly logs: Readonly<Record<string, readonly LoggedEvent[]>>;
  /** Marks in the order in which a view has folded them. */
  readonly views: readonly {
    readonly device: string;
    readonly log: string;
    readonly marks: readonly string[];
  }[];
}

/** @returns what is wrong, in words; nothing when all is well */
export function complaints({ appends, logs, views }: Outcome): string[] {
  const wrong: string[] = [];
  const places = new Map<string, number[]>();
  for (const [log, events] of Object.entries(logs)) {
    for (const [index, { mark }] of events.entries()) {
      const key = `${log} ${mark}`;
      places.set(key, [...(places.get(key) ?? []), index]);
    }
  }
  const known = new Set<string>();
  const last = new Map<string, { readonly index: number; readonly mark: string }>();
  for (const { device, log, marks, told, ids } of appends) {
    const found = marks.map((mark) => places.get(`${log} ${mark}`) ?? []);
    for (const mark of marks) known.add(`${log} ${mark}`);
    const what = `${marks.join(', ')} of ${device} in ${log}`;
    const count = Math.max(...found.map((each) => each.length));
    if (found.some((each) => each.length !== count)) wrong.push(`${what} is torn`);
    else if (count > 1) wrong.push(`${what} is there ${count} times`);
    else if (count === 0 && (told === 'settled' || told === 'kept')) {
      wrong.push(`${what} was ${told} and is missing`);
    } else if (count === 1 && told === 'refused') wrong.push(`${what} was refused and is there`);
    if (count !== 1) continue;
    const first = found[0]![0]!;
    if (found.some(([index], offset) => index !== first + offset)) wrong.push(`${what} is torn`);
    const stored = marks.map((_, offset) => logs[log]![first + offset]?.id);
    if (told === 'settled' && ids !== undefined && ids.join() !== stored.join()) {
      wrong.push(`${what} was told ${ids} and has ${stored}`);
    }
    const line = `${device} ${log}`;
    const before = last.get(line);
    if (before !== undefined && before.index > first) {
      wrong.push(`${what} comes before ${before.mark}, which was made earlier`);
    }
    last.set(line, { index: first, mark: marks[0]! });
  }
  for (const key of places.keys()) if (!known.has(key)) wrong.push(`nobody has appended ${key}`);
  for (const { device, log, marks } of views) {
    const all = (logs[log] ?? []).map(({ mark }) => mark);
    if (marks.join() !== all.join()) {
      const at = all.findIndex((mark, index) => marks[index] !== mark);
      wrong.push(
        `the view of ${device} on ${log} has ${marks.length} events of ${all.length}, and differs at ${at < 0 ? all.length : at}`,
      );
    }
  }
  return wrong;
}
