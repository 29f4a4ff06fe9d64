/** The judge of the durability test is judged first: it must tell a flushed append from one that is not. */
import { describe, expect, it } from 'vitest';
import { complaintsAbout } from './embedded-flush-trace.ts';

const DATA = '20</store/data.mdb>';
const META = '21</store/data.mdb>';
const opened =
  '1 openat(AT_FDCWD</store>, "/store/data.mdb", O_WRONLY|O_DSYNC|O_CLOEXEC) = 21</store/data.mdb>';
const pages = `2 pwrite64(${DATA}, "..first..", 4096, 8192) = 4096`;
const flush = `2 fdatasync(${DATA}) = 0`;
const meta = `2 pwrite64(${META}, "\\0\\2", 128, 40) = 128`;
const acknowledged = '1 write(1</dev/pts/0>, "ack first\\n", 10) = 10';
const appends = [{ payload: 'first', acknowledgement: 'ack first' }];

const judge = (...lines: string[]) => complaintsAbout([opened, ...lines].join('\n'), appends);

describe('the judge of flushes', () => {
  it('is content with pages, flush, meta page, acknowledgement', () => {
    expect(judge(pages, flush, meta, acknowledged)).toEqual([]);
  });

  it('takes a meta page that is flushed by a call of its own', () => {
    const plainMeta = meta.replace(META, DATA);
    expect(judge(pages, flush, plainMeta, flush, acknowledged)).toEqual([]);
    expect(judge(pages, flush, plainMeta, acknowledged)).toHaveLength(1);
  });

  it.each([
    ['an acknowledgement that is missing', [pages, flush, meta], 'never came'],
    [
      'an acknowledgement before the write',
      [acknowledged, pages, flush, meta],
      'before it was written',
    ],
    ['an acknowledgement before the flush', [pages, acknowledged, flush, meta], 'before a flush'],
    ['a flush before the write', [flush, pages, meta, acknowledged], 'before a flush'],
    [
      'a flush that failed',
      [pages, flush.replace('= 0', '= -1 EIO (Input/output error)'), meta, acknowledged],
      'before a flush',
    ],
    [
      'a flush of another file',
      [pages, flush.replace('data', 'lock'), meta, acknowledged],
      'before a flush',
    ],
    ['a missing meta page', [pages, flush, acknowledged], 'meta page was written'],
    [
      'a flush that has not returned yet',
      [
        pages,
        `2 fdatasync(${DATA} <unfinished ...>`,
        acknowledged,
        '2 <... fdatasync resumed>) = 0',
        meta,
      ],
      'before a flush',
    ],
    [
      'a flush that began before the write had ended',
      [
        `2 pwrite64(${DATA}, "..first..", 4096, 8192 <unfinished ...>`,
        `3 fdatasync(${DATA}) = 0`,
        '2 <... pwrite64 resumed>) = 4096',
        meta,
        acknowledged,
      ],
      'before a flush',
    ],
  ])('complains about %s', (_, lines, complaint) => {
    expect(judge(...lines)).toEqual([expect.stringContaining(complaint)]);
  });
});
