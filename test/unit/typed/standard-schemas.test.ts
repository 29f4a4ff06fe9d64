/** Validators of several libraries, through the one interface that they share. */
import { type as ark } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidInput } from '../../../src/event/error.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';

const NAME = 'top secret';

const libraries = {
  zod: defineEvents({
    Ordered: z.object({
      items: z.array(z.object({ count: z.number().min(17), name: z.string() })),
    }),
  }),
  valibot: defineEvents({
    Ordered: v.object({
      items: v.array(v.object({ count: v.pipe(v.number(), v.minValue(17)), name: v.string() })),
    }),
  }),
  arktype: defineEvents({
    Ordered: ark({ items: ark({ count: 'number >= 17', name: 'string' }).array() }),
  }),
};

describe.each(Object.entries(libraries))('%s', (_, orders) => {
  const items = [
    { count: 17, name: 'nut' },
    { count: 18, name: 'bolt' },
  ];

  it('lets a right payload pass', () => {
    expect(orders.create('Ordered', { items }).payload).toEqual({ items });
  });

  it.each<[string, unknown, string]>([
    ['a text for a number', { count: NAME, name: 'nut' }, 'count'],
    ['a number that is too small', { count: 4.25, name: 'nut' }, 'count'],
    ['an object for a text', { count: 17, name: { [NAME]: NAME } }, 'name'],
    ['a list for a text', { count: 17, name: [NAME] }, 'name'],
    ['nothing', { count: 17 }, 'name'],
  ])('refuses %s: names type and place, and never shows the value', (_, item, field) => {
    let error: unknown;
    try {
      orders.create('Ordered', { items: [items[0], item] } as never);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InvalidInput);
    const { message, code } = error as InvalidInput;
    expect(code).toBe('invalid_event');
    expect(message).toMatch(
      new RegExp(`^Ordered\\.payload\\.items\\[1\\]\\.${field} is refused by its schema: .{6}`),
    );
    expect(message).not.toMatch(/top secret|4\.25/);
  });

  it('names the payload itself where it is wrong as a whole', () => {
    expect(() => orders.create('Ordered', 'x' as never)).toThrow(/^Ordered\.payload is refused/);
  });
});

it('keeps the number of the rule where it tells of another one', () => {
  const { zod } = libraries;
  expect(() => zod.create('Ordered', { items: [{ count: 1, name: '' }] })).toThrow(/17/);
});

it('counts what else is wrong', () => {
  const { zod } = libraries;
  expect(() => zod.create('Ordered', { items: [{}, {}] } as never)).toThrow(/\(and 3 more\)$/);
});

it('refuses a schema that answers later, whether it would pass or fail', () => {
  for (const answer of [true, false]) {
    const late = defineEvents({ Ordered: z.string().refine(async () => answer) });
    expect(() => late.create('Ordered', 'x')).toThrow(InvalidInput);
    expect(() => late.create('Ordered', 'x')).toThrow(
      'the schema (zod) of Ordered is asynchronous; the schema of an event has to answer at once',
    );
  }
});
