/** A tab with a client in it, seen from the test. */
import { eventually } from '../../support/eventually.ts';
import type { OpenOptions, PageDevice, Report } from '../page/page.ts';
import type { Device, Tab } from './device.ts';
import type { Front } from './front.ts';

type Global = { readonly device: PageDevice };

export class ClientPage {
  readonly tab: Tab;

  private constructor(tab: Tab) {
    this.tab = tab;
  }

  /** @param freshToken what the page is given for a token */
  static async open(
    device: Device,
    front: Front,
    options: OpenOptions,
    freshToken?: () => Promise<string>,
  ): Promise<ClientPage> {
    const page = new ClientPage(await device.open(`${front.origin}/page`));
    if (freshToken !== undefined) await page.tab.page.exposeFunction('freshToken', freshToken);
    await page.reopen(options);
    return page;
  }

  /** After a reload. */
  reopen(options: OpenOptions): Promise<void> {
    return this.tab.page.evaluate(
      (options) => (globalThis as unknown as Global).device.open(options),
      options,
    );
  }

  /** Resolves when it is kept. */
  append(text: string): Promise<void> {
    return this.tab.page.evaluate(
      (text) => (globalThis as unknown as Global).device.append(text),
      text,
    );
  }

  keepAppending(prefix: string): Promise<void> {
    return this.tab.page.evaluate((prefix) => {
      (globalThis as unknown as Global).device.keepAppending(prefix);
    }, prefix);
  }

  report(): Promise<Report> {
    return this.tab.page.evaluate(() => (globalThis as unknown as Global).device.report());
  }

  /** Waits until its report is as wanted, and answers that. */
  async until(what: string, isSo: (report: Report) => boolean, timeout = 20_000): Promise<Report> {
    return eventually(
      async () => {
        const report = await this.report();
        if (isSo(report)) return report;
        throw new Error(`${what}: not yet, but ${shown(report)}`);
      },
      { timeout, interval: 20 },
    );
  }

  close(): Promise<void> {
    return this.tab.page.evaluate(() => (globalThis as unknown as Global).device.close());
  }

  live(timeout?: number): Promise<Report> {
    return this.until('live', ({ state }) => state.status === 'live', timeout);
  }

  /** Waits until it has seen exactly these, in this order. */
  saw(texts: readonly string[], timeout?: number): Promise<Report> {
    return this.until(
      `has seen ${texts.join(', ')}`,
      ({ seen }) => JSON.stringify(seen) === JSON.stringify(texts),
      timeout,
    );
  }
}

/** The end of each list says enough. */
function shown(report: Report): string {
  return JSON.stringify(report, (_name, value) =>
    Array.isArray(value) ? value.slice(-10) : value,
  );
}
