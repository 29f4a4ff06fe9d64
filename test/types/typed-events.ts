/** What the compiler has to know of typed events: part of `npm run typecheck`, never run. */

import { type as ark } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import {
  type DecodedOf,
  defineEvents,
  type EventDefinitions,
  type EventInputOf,
  type EventOf,
  type LogName,
  type RecordedOf,
  type StoredEvent,
  type,
  type UnknownRecorded,
} from '../../src/index.ts';
import { type Equal, expectType } from './expect-type.ts';

interface Reason {
  reason: string;
  by?: string;
}

const bank = defineEvents({
  Deposited: z.object({ amount: z.number(), note: z.string().default('') }),
  Closed: type<Reason>(),
  Renamed: v.object({ name: v.string() }),
  Tagged: ark({ tag: 'string' }),
  Withdrawn: {
    schema: z.object({ amount: z.number() }),
    version: 2,
    upcast: { 1: (old: { sum: string }) => ({ amount: Number(old.sum) }) },
    formerly: ['MoneyTaken'],
  },
});

type BankEvent = EventOf<typeof bank>;
type BankRecorded = RecordedOf<typeof bank>;

expectType<Equal<BankEvent['type'], 'Deposited' | 'Closed' | 'Renamed' | 'Tagged' | 'Withdrawn'>>();
expectType<
  Equal<Extract<BankEvent, { type: 'Deposited' }>['payload'], { amount: number; note: string }>
>();
expectType<Equal<Extract<BankEvent, { type: 'Closed' }>['payload'], Reason>>();
expectType<Equal<Extract<BankEvent, { type: 'Renamed' }>['payload'], { name: string }>>();
expectType<Equal<Extract<BankEvent, { type: 'Tagged' }>['payload'], { tag: string }>>();
expectType<Equal<Extract<BankEvent, { type: 'Withdrawn' }>['payload'], { amount: number }>>();
expectType<
  Equal<
    Extract<EventInputOf<typeof bank>, { type: 'Deposited' }>['payload'],
    { amount: number; note?: string | undefined }
  >
>();
expectType<Equal<DecodedOf<typeof bank>, BankRecorded>>();

export function narrows(event: BankRecorded): number | string {
  switch (event.type) {
    case 'Deposited':
    case 'Withdrawn':
      return event.payload.amount;
    case 'Closed':
      return event.payload.reason;
    case 'Renamed':
      return event.payload.name;
    case 'Tagged':
      return event.payload.tag;
  }
}

bank.create('Deposited', { amount: 1 });
bank.encode({ type: 'Deposited', payload: { amount: 1 } });
bank.encode(bank.create('Closed', { reason: 'moved' }, { from: 'han' }));
// @ts-expect-error there is no such event
bank.create('Depositd', { amount: 1 });
// @ts-expect-error the amount is a number
bank.create('Deposited', { amount: '1' });
// @ts-expect-error the amount is missing
bank.create('Withdrawn', {});
// @ts-expect-error the payload belongs to another event
bank.encode({ type: 'Closed', payload: { amount: 1 } });
// @ts-expect-error there is no such event
bank.encode({ type: 'Opened', payload: { amount: 1 } });

declare const log: LogName;
declare const stored: StoredEvent;
expectType<Equal<ReturnType<typeof bank.decode>, BankRecorded>>();

const lenient = defineEvents({ Closed: type<Reason>() }, { unknown: 'ignore' });
expectType<Equal<ReturnType<typeof lenient.decode>, RecordedOf<typeof lenient> | undefined>>();

const raw = defineEvents({ Closed: type<Reason>() }, { unknown: 'raw' });
const event = raw.decode(log, stored);
if (event.unknown) expectType<Equal<typeof event, UnknownRecorded>>();
else expectType<Equal<typeof event.payload, Reason>>();

// What takes any definitions takes these, and keeps their types.
declare function reads<Payloads extends object>(
  events: EventDefinitions<Payloads>,
  on: { [Type in keyof Payloads]?: (payload: Payloads[Type]) => void },
): Payloads;
const payloads = reads(bank, {
  Deposited: (payload) => expectType<Equal<typeof payload, { amount: number; note: string }>>(),
});
expectType<Equal<(typeof payloads)['Closed'], Reason>>();
// @ts-expect-error there is no such event
reads(bank, { Opened: () => {} });
reads(raw, { Closed: ({ reason }) => reason });
export const anyEvents: EventDefinitions[] = [bank, lenient, raw];

// What a log would not give back as it is.
// @ts-expect-error a date comes back as a string
defineEvents({ Opened: z.object({ day: z.date() }) });
// @ts-expect-error so does one deep inside
defineEvents({ Opened: type<{ days: { list: Date[] }[] }>() });
// @ts-expect-error a map comes back empty
defineEvents({ Opened: { schema: type<{ names: Map<string, string> }>(), version: 1 } });
// @ts-expect-error the number that is stored is not the text that the schema takes
defineEvents({ Opened: z.string().transform((text) => text.length) });

interface Tree {
  readonly name: string;
  readonly bytes?: string | null;
  readonly children: readonly Tree[];
}
export const storable = defineEvents({
  Grown: type<Tree>(),
  Copied: type<Uint8Array>(),
  Said: z.string(),
  Counted: z.coerce.number(),
  Noted: z.record(z.string(), z.unknown()),
  Cleared: type<null>(),
});
expectType<Equal<Extract<EventOf<typeof storable>, { type: 'Grown' }>['payload'], Tree>>();
