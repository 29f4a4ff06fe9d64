// @vitest-environment happy-dom
import {
  act,
  Component,
  createElement as h,
  type ReactNode,
  StrictMode,
  Suspense,
  startTransition,
} from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Latest } from '../../../src/client/client-api.ts';
import { Changing } from '../../../src/client/readable.ts';
import { decider } from '../../../src/decider/decider.ts';
import { ZERO_ID } from '../../../src/event/event-id.ts';
import {
  MillraceProvider,
  useClient,
  useCommand,
  useConnection,
  useLog,
  useView,
} from '../../../src/react/react.ts';
import type { AnyPayloads } from '../../../src/typed/event-types.ts';
import { FakeClient, LOG } from '../client/views/fake-client.ts';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const items = decider({
  name: 'items',
  initial: [] as readonly string[],
  log: () => LOG,
  decide(name: string, known) {
    if (known.includes(name)) throw new Error(`${name} is there already`);
    return { type: 'Added', payload: name };
  },
  evolve: (known, event): readonly string[] => [...known, String(event.payload)],
});

const item = (payload: string) => ({ type: 'Added', payload });

let fake: FakeClient;
let page: HTMLElement;
let root: Root | undefined;
let renders: string[];

beforeEach(() => {
  fake = new FakeClient();
  page = document.createElement('main');
  renders = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(async () => {
  await act(async () => root?.unmount());
  root = undefined;
  vi.useRealTimers();
});

const within = (child: ReactNode) => h(MillraceProvider, { client: fake.client }, child);

async function render(child: ReactNode): Promise<void> {
  root ??= createRoot(page);
  await act(async () => root!.render(within(child)));
}

function Items({ suspense = false }: { readonly suspense?: boolean }) {
  const { state, isCurrent, failure } = useView(LOG, items, { suspense });
  const text = `${state.join(',')}${isCurrent ? '!' : ''}${failure?.code ?? ''}`;
  renders.push(text);
  return text;
}

describe('useView', () => {
  test.each(['alone', 'under StrictMode'])('shows a view and follows it once, %s', async (how) => {
    fake.append(item('a'));
    await render(how === 'alone' ? h(Items) : h(StrictMode, null, h(Items)));
    expect(page.textContent).toBe('');
    await act(async () => fake.catchUp());
    await act(async () => void vi.advanceTimersByTime(16));
    expect(page.textContent).toBe('a!');
    expect(fake.opened).toBe(1);
    expect(fake.followers.size).toBe(1);
    await act(async () => {
      fake.appends.append({ log: LOG, events: [item('mine')] });
    });
    await act(async () => void vi.advanceTimersByTime(16));
    expect(page.textContent).toBe('a,mine!');
    await render(null);
    vi.advanceTimersByTime(5_001);
    expect(fake.followers.size).toBe(0);
  });

  test('does not render for each of 10,000 events, in however many batches they come', async () => {
    await render(h(Items));
    await act(async () => fake.catchUp());
    renders.length = 0;
    await act(async () => {
      for (let count = 0; count < 10_000; count += 1) fake.append(item('x'));
      for (let count = 0; fake.deliver(10) > 0; count += 1) {
        await Promise.resolve();
        if (count % 250 === 0) vi.advanceTimersByTime(4);
      }
    });
    await act(async () => void vi.advanceTimersByTime(16));
    expect(page.textContent!.split(',').length).toBe(10_000);
    expect(renders.length).toBeLessThan(5);
  });

  test('suspends until there is a state, and once', async () => {
    fake.append(item('a'));
    const loading = h(Suspense, { fallback: 'loading' }, h(Items, { suspense: true }));
    await render(h(StrictMode, null, loading));
    expect(page.textContent).toBe('loading');
    await act(async () => {});
    expect(renders.length).toBeLessThan(10);
    await act(async () => fake.catchUp());
    expect(page.textContent).toBe('a!');
    expect(fake.opened).toBe(1);
    await act(async () => fake.connection.set({ status: 'offline', reason: 'no network' }));
    await act(async () => void vi.advanceTimersByTime(16));
    expect(page.textContent).toBe('a');
  });

  test('throws what there is instead of a state, and does not ask again and again', async () => {
    const quiet = vi.spyOn(console, 'error').mockImplementation(() => {});
    class Boundary extends Component<{ readonly children: ReactNode }, { readonly code?: string }> {
      override state: { readonly code?: string } = {};
      static getDerivedStateFromError = ({ code }: { readonly code: string }) => ({ code });
      override render() {
        return this.state.code ?? this.props.children;
      }
    }
    const loading = h(Suspense, { fallback: 'loading' }, h(Items, { suspense: true }));
    await render(h(Boundary, null, loading));
    await act(async () => {
      for (const { consumer } of fake.followers)
        consumer.failed({ code: 'forbidden', message: 'no' });
    });
    expect(page.textContent).toBe('forbidden');
    expect(fake.opened).toBe(1);
    quiet.mockRestore();
  });

  test('shows why a view has failed, without suspense', async () => {
    await render(h(Items));
    await act(async () => {
      for (const { consumer } of fake.followers)
        consumer.failed({ code: 'forbidden', message: 'no' });
    });
    await render(h(Items));
    expect(page.textContent).toBe('forbidden');
    expect(fake.opened).toBe(1);
  });

  test('is told of what happens between two renders of one transition', async () => {
    await render(h(Items));
    await act(async () => fake.catchUp());
    await act(async () => {
      startTransition(() => root!.render(within([h(Items, { key: 1 }), h(Items, { key: 2 })])));
      fake.append(item('a'));
      fake.deliver();
    });
    await act(async () => void vi.advanceTimersByTime(16));
    expect(page.textContent).toBe('a!a!');
  });

  test.each([true, false])(
    'waits for the name of one’s own log, with suspense: %s',
    async (suspense) => {
      fake.account.set(undefined);
      fake.append(item('a'));
      const Own = () => useView(undefined, items, { suspense }).state.join(',');
      await render(h(Suspense, { fallback: 'loading' }, h(Own)));
      expect(page.textContent).toBe(suspense ? 'loading' : '');
      await act(async () => fake.account.set('ada'));
      await act(async () => void vi.advanceTimersByTime(16));
      await act(async () => fake.catchUp());
      await act(async () => void vi.advanceTimersByTime(16));
      expect(page.textContent).toBe('a');
    },
  );

  test('takes options written where they are used, and a log', async () => {
    function Count() {
      const { state } = useView(fake.log, { initial: 0, evolve: (count) => count + 1 });
      return String(state);
    }
    fake.append(item('a'));
    await render(h(StrictMode, null, h(Count)));
    await act(async () => fake.catchUp());
    await render(h(StrictMode, null, h(Count)));
    expect(page.textContent).toBe('1');
    expect(fake.opened).toBeLessThan(3);
    expect(fake.followers.size).toBeLessThan(3);
  });
});

describe('on a server', () => {
  function Handed() {
    const handedOver = { state: ['a'], after: '1001-0' };
    const { state, isLoaded } = useView(LOG, items, { handedOver, suspense: true });
    return `${state.join(',')}${isLoaded}${useConnection().status}${useLog(LOG).events.length}`;
  }

  test('the state that is handed over is rendered, and taken over by the page', async () => {
    const noClient = h(MillraceProvider, { client: undefined }, h(Handed));
    expect(renderToString(noClient)).toBe('atrueconnecting0');
    page.innerHTML = renderToString(noClient);
    const wrong = vi.spyOn(console, 'error');
    const latest = new Changing<Latest<AnyPayloads>>({ events: [], pending: [], isCurrent: true });
    Object.assign(fake.log, { latest: () => latest });
    fake.append(item('a'));
    fake.append(item('b'));
    await act(async () => {
      root = hydrateRoot(page, within(h(Handed)));
    });
    expect(wrong).not.toHaveBeenCalled();
    expect(page.textContent).toBe('atruelive0');
    await act(async () => fake.catchUp());
    await act(async () => void vi.advanceTimersByTime(16));
    expect(page.textContent).toBe('a,btruelive0');
  });

  test('what suspends without a state is left to the page', () => {
    const fallback = h(Suspense, { fallback: 'loading' }, h(Items, { suspense: true }));
    const html = renderToString(h(MillraceProvider, { client: undefined }, fallback));
    expect(html).toContain('loading');
  });
});

describe('useCommand', () => {
  function Form() {
    const [run, { isPending, error, reset }] = useCommand(items);
    const { state } = useView(LOG, items);
    const text = `${state.join(',')} ${isPending} ${(error as Error | undefined)?.message ?? ''}`;
    return h('form', { onSubmit: () => void run('a'), onReset: reset }, text);
  }
  const dispatch = (name: string) =>
    act(async () => {
      page.firstElementChild!.dispatchEvent(new Event(name, { bubbles: true, cancelable: true }));
      await new Promise((resolve) => setImmediate(resolve));
    });
  const frame = () => act(async () => void vi.advanceTimersByTime(16));

  test('shows what a command leads to at once, and whether it is on its way', async () => {
    document.body.append(page);
    await render(h(Form));
    await act(async () => fake.catchUp());
    await dispatch('submit');
    await frame();
    expect(page.textContent).toBe('a true ');
    const entry = fake.appends.outbox[0]!;
    await act(async () => {
      fake.appends.settle(entry, fake.take(entry));
      fake.catchUp();
      await new Promise((resolve) => setImmediate(resolve));
    });
    await frame();
    expect(page.textContent).toBe('a false ');
    await dispatch('submit');
    await frame();
    expect(page.textContent).toBe('a false a is there already');
    await dispatch('reset');
    expect(page.textContent).toBe('a false ');
    page.remove();
  });
});

describe('the others', () => {
  test('useLog shows the last events of a log', async () => {
    const latest = new Changing<Latest<AnyPayloads>>({ events: [], pending: [], isCurrent: false });
    const asked: unknown[] = [];
    const log = (...names: unknown[]) => {
      asked.push(names);
      return {
        latest(last: number) {
          asked.push(last);
          return latest;
        },
      };
    };
    Object.assign(fake.client, { log });
    const Last = () => String(useLog('room:1', { last: 3 }).isCurrent);
    await render(h(Last));
    await render(h(Last));
    await act(async () => latest.set({ events: [], pending: [], isCurrent: true }));
    expect(page.textContent).toBe('true');
    expect(asked).toEqual([['room:1'], 3]);
  });

  test('useConnection says what the connection is like', async () => {
    const Status = () => `${useConnection().status} ${useClient() === fake.client}`;
    await render(h(Status));
    expect(page.textContent).toBe('live true');
    await act(async () => fake.connection.set({ status: 'offline', reason: 'no network' }));
    expect(page.textContent).toBe('offline true');
  });

  test('without a provider they say so', () => {
    const Lost = () => useConnection().status;
    expect(() => renderToString(h(Lost))).toThrow('<MillraceProvider client={…}> above them');
    const Early = () => String(useClient());
    const early = h(MillraceProvider, { client: undefined }, h(Early));
    expect(() => renderToString(early)).toThrow('has no client here');
    expect(ZERO_ID).toBe('0-0');
  });
});
