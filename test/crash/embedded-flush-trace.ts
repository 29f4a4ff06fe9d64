/**
 * Reads a trace of system calls (`strace -f -y`) and judges from it whether each acknowledgement
 * came after its event was on the disk. `kill -9` cannot show that: the operating system keeps
 * what a killed process wrote.
 *
 *   write of the pages with the event ─► flush begins ─► returns 0
 *     ─► write of the meta page, which makes it count ─► flushed as well (O_DSYNC, or a flush) ─► acknowledged
 */

/** The beginning or the end of one system call. */
interface Moment {
  readonly thread: string;
  readonly call: string;
  /** What strace printed between the parentheses, as far as known at that moment. */
  readonly text: string;
  readonly descriptor: number | undefined;
  readonly path: string | undefined;
  readonly is: 'begin' | 'end';
  /** Only at the end. */
  readonly result: number | undefined;
}

/** What an append and its acknowledgement look like in the trace. */
export interface AcknowledgedAppend {
  /** Part of the event; appears in no other one. */
  readonly payload: string;
  /** Appears in the acknowledgement, and in nothing that is written earlier. */
  readonly acknowledgement: string;
}

const FLUSHES = ['fdatasync', 'fsync', 'msync', 'sync_file_range'];
const WRITES = ['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2'];

/** What is wrong with the trace, one line each; empty when every append was flushed in time. */
export function complaintsAbout(trace: string, appends: readonly AcknowledgedAppend[]): string[] {
  const moments = parseTrace(trace);
  const synchronous = synchronousDescriptors(moments);
  return appends.flatMap(({ payload, acknowledgement }) => {
    const complain = (what: string) => [`${acknowledgement}: ${what}`];
    const acknowledged = moments.findIndex(
      ({ is, call, path, text }) =>
        is === 'begin' && WRITES.includes(call) && !isData(path) && text.includes(acknowledgement),
    );
    if (acknowledged < 0) return complain('never came');
    const before = moments.slice(0, acknowledged);

    const written = before.findIndex(
      ({ is, call, path, text }) =>
        is === 'end' && WRITES.includes(call) && isData(path) && text.includes(payload),
    );
    if (written < 0) return complain('came before it was written');
    const flushed = endOfFlush(before, written);
    if (flushed < 0) return complain('came before a flush of its data had returned');

    const meta = before.findIndex(
      ({ is, call, path, result }, index) =>
        index > flushed && is === 'begin' && WRITES.includes(call) && isData(path) && result !== -1,
    );
    if (meta < 0) return complain('came before the meta page was written');
    const { descriptor } = before[meta]!;
    const end = endOf(before, meta);
    const safe = synchronous.has(descriptor!) ? end >= 0 : end >= 0 && endOfFlush(before, end) >= 0;
    return safe ? [] : complain('came before the meta page was flushed');
  });
}

/** Where a flush of the data file that began after `after` has returned successfully; -1 if none. */
function endOfFlush(moments: readonly Moment[], after: number): number {
  for (let begin = after + 1; begin < moments.length; begin++) {
    const { is, call, path } = moments[begin]!;
    if (is !== 'begin' || !FLUSHES.includes(call)) continue;
    if (call !== 'msync' && !isData(path)) continue;
    const end = endOf(moments, begin);
    if (end >= 0 && moments[end]!.result === 0) return end;
  }
  return -1;
}

/** The end of the call that begins at `begin`: a thread makes one call at a time. */
function endOf(moments: readonly Moment[], begin: number): number {
  const { thread } = moments[begin]!;
  return moments.findIndex(
    (moment, index) => index > begin && moment.is === 'end' && moment.thread === thread,
  );
}

function synchronousDescriptors(moments: readonly Moment[]): Set<number> {
  return new Set(
    moments
      .filter(({ is, call, text }) => is === 'end' && call === 'openat' && isDataOpening(text))
      .map(({ result }) => result!),
  );
}

function isDataOpening(text: string): boolean {
  return text.includes('/data.mdb"') && /O_D?SYNC/.test(text);
}

function isData(path: string | undefined): boolean {
  return path?.endsWith('/data.mdb') === true;
}

/**
 * One line is a whole call, or one half of it when another thread's came between:
 *
 *   1234 fdatasync(20</tmp/x/data.mdb>) = 0
 *   1234 fdatasync(20</tmp/x/data.mdb> <unfinished ...>
 *   1234 <... fdatasync resumed>) = 0
 */
function parseTrace(trace: string): Moment[] {
  const moments: Moment[] = [];
  const unfinished = new Map<string, Moment>();
  for (const line of trace.split('\n')) {
    const resumed = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$/.exec(line);
    if (resumed !== null) {
      const [, thread, , rest] = resumed as unknown as [string, string, string, string];
      const begun = unfinished.get(thread);
      unfinished.delete(thread);
      if (begun !== undefined) moments.push(ended(begun, begun.text + rest));
      continue;
    }
    const whole = /^(\d+)\s+(\w+)\((.*)$/.exec(line);
    if (whole === null) continue;
    const [, thread, call, text] = whole as unknown as [string, string, string, string];
    const target = /^(\d+)<([^>]*)>/.exec(text);
    const begun: Moment = {
      thread,
      call,
      text,
      descriptor: target === null ? undefined : Number(target[1]),
      path: target?.[2],
      is: 'begin',
      result: undefined,
    };
    moments.push(begun);
    if (text.endsWith('<unfinished ...>')) unfinished.set(thread, begun);
    else moments.push(ended(begun, text));
  }
  return moments;
}

function ended(begun: Moment, text: string): Moment {
  const result = /\)\s+= (-?\d+)[^)]*$/.exec(text);
  return { ...begun, text, is: 'end', result: result === null ? undefined : Number(result[1]) };
}
