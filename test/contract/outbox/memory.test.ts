import { MemoryOutbox } from '../../../src/client/outbox/memory-outbox.ts';
import { runCases } from '../vitest-runner.ts';
import { outboxCases } from './outbox-suite.ts';

runCases(
  'MemoryOutbox keeps the contract of outboxes',
  outboxCases({
    name: 'MemoryOutbox',
    lacks: { shared: 'it lives inside one object' },
    setup: async () => ({
      open: async (limits) => new MemoryOutbox(limits),
      dispose: async () => {},
      capabilities: {},
    }),
  }),
);
