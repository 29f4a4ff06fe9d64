/** As much of a browser as the README's page asks for. */
import { runInNewContext } from 'node:vm';
import { ServerSentEventReader } from '../../src/protocol/server-sent-events.ts';

interface FakeElement {
  textContent: string;
  children: FakeElement[];
  append(...children: FakeElement[]): void;
  replaceChildren(): void;
}

/** Runs a page's module script; answers its one list, to be looked at while it grows. */
export function openPage(script: string): Disposable & { readonly list: FakeElement } {
  const list = element();
  const closing = new AbortController();
  class EventSource {
    onmessage: (message: { data: string }) => void = () => {};
    constructor(url: string) {
      void read(url, (data) => this.onmessage({ data }), closing.signal);
    }
    addEventListener(): void {}
  }
  const document = { querySelector: () => list, createElement: element };
  runInNewContext(script, { document, EventSource });
  return { list, [Symbol.dispose]: () => closing.abort() };
}

function element(): FakeElement {
  return {
    textContent: '',
    children: [],
    append(...children) {
      this.children.push(...children);
    },
    replaceChildren() {
      this.children = [];
    },
  };
}

async function read(
  url: string,
  onData: (data: string) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    const headers = { accept: 'text/event-stream', origin: 'http://localhost:5173' };
    const response = await fetch(url, { headers, signal });
    const reader = new ServerSentEventReader();
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      for (const { event, data } of reader.read(chunk)) if (event === 'message') onData(data);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
