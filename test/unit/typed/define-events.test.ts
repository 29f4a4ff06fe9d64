import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidInput } from '../../../src/event/error.ts';
import { encodeEvents, type NewEvent, StoredEvent, storedEvent } from '../../../src/event/event.ts';
import { type EventId, makeEventId } from '../../../src/event/event-id.ts';
import { caused } from '../../../src/typed/caused.ts';
import { defineEvents } from '../../../src/typed/define-events.ts';
import type { EventDefinition } from '../../../src/typed/definition.ts';
import { UnreadableEvent } from '../../../src/typed/errors.ts';
import { type } from '../../../src/typed/standard-schema.ts';
import { randomLog } from '../../support/names.ts';

const log = randomLog();
const id = '1526919030474-55' as EventId;

/** The event as a log would hold it. */
function stored(event: NewEvent): StoredEvent {
  return storedEvent(id, encodeEvents([event])[0]!);
}

const bank = defineEvents({
  Deposited: z.object({ amount: z.number(), note: z.string().default('') }),
  Closed: type<{ reason: string }>(),
  Withdrawn: {
    schema: z.object({ amount: z.number(), currency: z.string() }),
    version: 3,
    upcast: {
      1: (old: { sum: string }) => ({ amount: Number(old.sum) }),
      2: (old: { amount: number }, { type, meta }) => ({
        ...old,
        currency: `${type}/${meta.country}`,
      }),
    },
    formerly: ['MoneyTaken'],
  },
});

describe('writing', () => {
  it('validates, and stores what the schema answers', () => {
    expect(bank.create('Deposited', { amount: 5 })).toEqual({
      type: 'Deposited',
      payload: { amount: 5, note: '' },
    });
    expect(bank.encode({ type: 'Deposited', payload: { amount: 5 } })).toEqual({
      type: 'Deposited',
      payload: { amount: 5, note: '' },
    });
  });

  it('keeps the meta, and writes the version only when it is above 1', () => {
    const meta = { from: 'han', version: 7 };
    expect(bank.encode(bank.create('Closed', { reason: 'moved' }, meta)).meta).toEqual({
      from: 'han',
    });
    const payload = { amount: 5, currency: 'EUR' };
    expect(bank.encode({ type: 'Withdrawn', payload, meta }).meta).toEqual({
      from: 'han',
      version: 3,
    });
    expect(bank.encode(bank.create('Deposited', { amount: 5 }))).not.toHaveProperty('meta');
  });

  it('refuses a wrong payload with its place, and an unknown type', () => {
    const wrong = () => bank.create('Deposited', { amount: 'secret' } as never);
    expect(wrong).toThrow(InvalidInput);
    expect(wrong).toThrow(
      expect.objectContaining({ code: 'invalid_event', field: 'Deposited.payload.amount' }),
    );
    expect(wrong).not.toThrow(/secret/);
    expect(() => bank.encode({ type: 'Opened', payload: {} } as never)).toThrow(
      'type must be one of the defined events (Deposited, Closed, Withdrawn)',
    );
    expect(() => bank.create('constructor' as never, {} as never)).toThrow(InvalidInput);
  });
});

describe('reading', () => {
  it('answers type, payload, meta, ID, log and time', () => {
    const event = bank.decode(log, stored(bank.create('Deposited', { amount: 5 })));
    expect(event).toEqual({
      ...{ type: 'Deposited', payload: { amount: 5, note: '' }, meta: {} },
      ...{ id, log, at: 1526919030474 },
    });
  });

  it('chains upcasts, tells them the stored type and meta, and reads former names', () => {
    const meta = { country: 'NL' };
    const read = (event: NewEvent) => {
      const { type, payload } = bank.decode(log, stored(event));
      return { type, payload };
    };
    expect(read({ type: 'MoneyTaken', payload: { sum: '5' }, meta })).toEqual({
      type: 'Withdrawn',
      payload: { amount: 5, currency: 'MoneyTaken/NL' },
    });
    expect(
      read({ type: 'Withdrawn', payload: { amount: 6 }, meta: { ...meta, version: 2 } }),
    ).toEqual({ type: 'Withdrawn', payload: { amount: 6, currency: 'Withdrawn/NL' } });
    const today = bank.create('Withdrawn', { amount: 7, currency: 'EUR' });
    expect(read(bank.encode(today))).toEqual(today);
  });

  it.each([
    ['a later version', { version: 4 }, /has version 4, and 3 is the latest/],
    ['a version that is none', { version: 'new' }, /meta.version that is no whole number/],
    ['version 0', { version: 0 }, /meta.version that is no whole number/],
  ])('refuses %s', (_, meta, message) => {
    expect(() => bank.decode(log, stored({ type: 'Withdrawn', payload: {}, meta }))).toThrow(
      message,
    );
  });

  it('says which event in which log cannot be upcast, and why', () => {
    const event = stored({ type: 'MoneyTaken', payload: null });
    expect(() => bank.decode(log, event)).toThrow(UnreadableEvent);
    expect(() => bank.decode(log, event)).toThrow(
      `the event ${id} (MoneyTaken) in ${log} could not be turned from version 1 into 2 (TypeError)`,
    );
    expect(() => bank.decode(log, event)).toThrow(
      expect.objectContaining({ code: 'unreadable_event', log, id, cause: expect.any(TypeError) }),
    );
  });

  it('refuses a payload that was stored as JSON and is none, without showing it', () => {
    const event = new StoredEvent(id, 'Closed', 'json', '{secret');
    expect(() => bank.decode(log, event)).toThrow(
      `the event ${id} (Closed) in ${log} has a payload that was stored as JSON and is none`,
    );
  });

  it('validates what is read only where that is asked for', () => {
    const definitions = { Deposited: z.object({ amount: z.number() }) };
    const event = stored({ type: 'Deposited', payload: { amount: 'secret' } });
    expect(defineEvents(definitions).decode(log, event).payload).toEqual({ amount: 'secret' });
    const strict = defineEvents(definitions, { validateReads: true });
    expect(() => strict.decode(log, event)).toThrow(
      /is refused by its schema, payload.amount: (?!.*secret)/,
    );
  });

  it('does with unknown types what the policy says', () => {
    const event = stored({ type: 'Opened', payload: 'a text', meta: { from: 'han' } });
    const definitions = { Closed: type<{ reason: string }>() };
    expect(() => defineEvents(definitions).decode(log, event)).toThrow(
      `the event ${id} (Opened) in ${log} is of a type that is not defined (defined are Closed)`,
    );
    expect(defineEvents(definitions, { unknown: 'ignore' }).decode(log, event)).toBeUndefined();
    expect(defineEvents(definitions, { unknown: 'raw' }).decode(log, event)).toEqual({
      ...{ type: 'Opened', payload: 'a text', meta: { from: 'han' }, unknown: true },
      ...{ id, log, at: 1526919030474 },
    });
  });
});

describe('definitions', () => {
  const schema = z.object({});
  const step = () => ({});
  it.each<[string, EventDefinition, string]>([
    ['no schema', {} as never, 'Moved must be a Standard Schema'],
    ['nothing', null as never, 'Moved must be a Standard Schema'],
    ['version 0', { schema, version: 0 }, 'Moved.version must be a whole number from 1'],
    ['a missing step', { schema, version: 3, upcast: { 2: step } }, 'must have a function 1'],
    ['a step too many', { schema, version: 2, upcast: { 1: step, 2: step } }, 'a step from 2'],
    ['a step without version', { schema, upcast: { 1: step } }, 'raise its version'],
    ['a name twice', { schema, formerly: ['Moved'] }, 'has Moved, which is a name already'],
  ])('with %s are refused', (_, definition, message) => {
    expect(() => defineEvents({ Moved: definition })).toThrow(InvalidInput);
    expect(() => defineEvents({ Moved: definition })).toThrow(message);
  });

  it('with an unknown policy are refused', () => {
    expect(() => defineEvents({}, { unknown: 'drop' as never })).toThrow(
      "unknown must be 'error', 'ignore' or 'raw'",
    );
  });

  it('tell by a text that reading has changed', () => {
    const version = (steps: Record<number, () => unknown>) =>
      defineEvents({ Moved: { schema, version: 2, upcast: steps } }).readingText;
    expect(version({ 1: () => 1 })).toBe(version({ 1: () => 1 }));
    expect(version({ 1: () => 1 })).not.toBe(version({ 1: () => 2 }));
  });
});

it('hands the correlation on and names the cause', () => {
  const first = { log, id, meta: {} };
  expect(caused(first)).toEqual({
    correlationId: `${log}/${id}`,
    causationId: `${log}/${id}`,
  });
  const second = { log, id: makeEventId(2, 0), meta: caused(first) };
  expect(caused(second)).toEqual({
    correlationId: `${log}/${id}`,
    causationId: `${log}/2-0`,
  });
});
