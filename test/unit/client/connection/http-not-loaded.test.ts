/** The code for HTTP is loaded when it is needed, and then it may not be there. */
import { expect, test, vi } from 'vitest';
import { gatewayLink } from '../../../../src/client/connection/link.ts';
import { fakeFetch, problem, recorder, sockets } from './fakes.ts';

vi.mock('../../../../src/client/connection/http-transport.ts', () => {
  throw new Error('offline');
});

test('sockets that are blocked are tried again when the code for HTTP cannot be loaded', async () => {
  vi.useFakeTimers();
  const gateway = sockets();
  const { fetch } = fakeFetch(() => problem(426, 'upgrade_required'));
  const link = gatewayLink(
    {
      url: 'wss://gateway.example',
      account: '1',
      WebSocket: gateway.WebSocket,
      fetch,
      random: () => 0.5,
      signals: [],
    },
    recorder().receiver,
  );
  const pass = async (milliseconds: number) => {
    await vi.advanceTimersByTimeAsync(milliseconds);
    await vi.dynamicImportSettled();
    await vi.advanceTimersByTimeAsync(0);
  };
  await pass(0);
  gateway.last().end();
  await pass(250);
  gateway.last().end();
  await pass(0);
  expect(link.state.get()).toMatchObject({
    status: 'offline',
    reason: 'the code for HTTP could not be loaded',
  });
  await pass(10_000);
  expect(gateway.all).toHaveLength(3);
  gateway.last().connected();
  expect(link.state.get()).toMatchObject({ status: 'live', over: 'websocket' });
  link.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});
