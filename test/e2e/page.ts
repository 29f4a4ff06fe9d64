/** As much of a browser as the README's page asks for. */
import { runInNewContext } from 'node:vm';

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
    let rest = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const messages = (rest + chunk).split('\n\n');
      rest = messages.pop()!;
      for (const message of messages) {
        const data = /^data: (.*)$/m.exec(message)?.[1];
        if (data !== undefined && !/^event:/m.test(message)) onData(data);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
