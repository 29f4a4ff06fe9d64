import { IDBFactory } from 'fake-indexeddb';
import { indexedDb } from '../../../src/client/indexeddb/indexeddb.ts';
import { runCases } from '../vitest-runner.ts';
import { outboxCases } from './outbox-suite.ts';

runCases(
  'The outbox in IndexedDB keeps the contract of outboxes',
  outboxCases({
    name: 'IndexedDB',
    lacks: {},
    setup: async () => {
      const factory = new IDBFactory();
      return {
        open: async ({ maxEntries, maxBytes } = {}) => {
          const persist = indexedDb({
            factory,
            maxOutboxEntries: maxEntries,
            maxOutboxBytes: maxBytes,
          });
          return (await persist.open('https://events.example', '1')).outbox;
        },
        dispose: async () => {},
        capabilities: { shared: true },
      };
    },
  }),
);
