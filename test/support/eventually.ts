export { type EventuallyOptions, eventually } from '../../src/testing/contract/eventually.ts';
