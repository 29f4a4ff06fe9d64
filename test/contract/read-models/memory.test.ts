import { MemoryReadModels } from '../../../src/stores/memory/read-models/memory-read-models.ts';
import { readModelCases } from '../../../src/testing/contract/read-models/read-models-suite.ts';
import { runCases } from '../vitest-runner.ts';

runCases(
  'MemoryReadModels keeps the read-model contract',
  readModelCases({
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
  }),
);
