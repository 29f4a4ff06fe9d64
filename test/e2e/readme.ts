/** The README and other documents as something that can be run: their fenced blocks, and the IDs in them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './command.ts';

export interface Block {
  readonly section: string;
  readonly line: number;
  /** As in `sh`, `js`; empty for a drawing. */
  readonly language: string;
  /** How it is run: the word after the language. */
  readonly mode: string;
  readonly text: string;
}

export function readmeBlocks(): Block[] {
  return blocksOf('README.md');
}

/** @param document relative to the checkout */
export function blocksOf(document: string): Block[] {
  const blocks: Block[] = [];
  let section = '';
  let open: { line: number; info: string; lines: string[] } | undefined;
  for (const [index, line] of readFileSync(join(root, document), 'utf8').split('\n').entries()) {
    if (line.startsWith('```')) {
      if (open === undefined) open = { line: index + 1, info: line.slice(3).trim(), lines: [] };
      else {
        const [language = '', mode = ''] = open.info.split(' ');
        blocks.push({ section, line: open.line, language, mode, text: open.lines.join('\n') });
        open = undefined;
      }
    } else if (open !== undefined) open.lines.push(line);
    else if (line.startsWith('## ')) section = line.slice(3);
  }
  return blocks;
}

const EVENT_ID = /\b\d{13}-\d+\b/g;

/** What the README calls an event, and what it is called in this run. The same name, the same event. */
export class EventNames {
  readonly #real = new Map<string, string>();

  /** The text with the IDs of this run, as far as they are known. */
  translate(text: string): string {
    return text.replace(EVENT_ID, (name) => this.#real.get(name) ?? name);
  }

  /** Whether `actual` is `expected` but for IDs that are named here for the first time. */
  matches(expected: string, actual: string): boolean {
    const names = expected.match(EVENT_ID) ?? [];
    const ids = actual.match(EVENT_ID) ?? [];
    if (expected.replace(EVENT_ID, '') !== actual.replace(EVENT_ID, '')) return false;
    return names.every((name, index) => (this.#real.get(name) ?? ids[index]) === ids[index]);
  }

  learn(expected: string, actual: string): void {
    const ids = actual.match(EVENT_ID) ?? [];
    for (const [index, name] of (expected.match(EVENT_ID) ?? []).entries()) {
      this.#real.set(name, ids[index]!);
    }
  }
}
