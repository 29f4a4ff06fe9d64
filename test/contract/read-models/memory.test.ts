import { MemoryReadModels } from '../../../src/stores/memory/read-models/memory-read-models.ts';
import { readModelSuite } from '../../../src/testing/contract/read-models/read-models-suite.ts';
import { vitestRunner } from '../vitest-runner.ts';

readModelSuite(
  {
    name: 'MemoryReadModels',
    lacks: {
      lasting: 'they die with their object',
      shared: 'they live inside one object',
      occupy: 'it holds nothing but tables',
      lossy: 'nothing lies between it and its caller',
    },
    setup: async () => ({
      open: async () => new MemoryReadModels(),
      dispose: async () => {},
      capabilities: { closing: true, bounded: true },
    }),
  },
  vitestRunner,
);
