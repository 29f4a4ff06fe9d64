import { listen } from '../../../src/gateway/node/listen.ts';
import { listenerContract } from './topics.ts';

listenerContract({ name: 'Node', listen, lacks: {} });
