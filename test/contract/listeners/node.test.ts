import './broken-input.ts';
import './closing.ts';
import './hostile.ts';
import './large-events.ts';
import './pipelining.ts';
