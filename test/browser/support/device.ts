/**
 * A device: a Chromium of its own with a profile, in which tabs are hidden, throttled and frozen as
 * those of a person are. (In the contexts that Playwright launches itself, every tab is always in front.)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { eventually } from '../../support/eventually.ts';

const program = process.env.CHROMIUM ?? '/usr/bin/chromium';
const OUTPUT_KEPT = 10_000;

export class Device implements AsyncDisposable {
  readonly #profile = mkdtempSync(join(tmpdir(), 'millrace-browser-'));
  #child: ChildProcess | undefined;
  #browser: Browser | undefined;

  static async start(): Promise<Device> {
    const device = new Device();
    await device.start();
    return device;
  }

  /** Starts it again after {@link kill}, with what it has kept. */
  async start(): Promise<void> {
    const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    const child = spawn(
      program,
      [
        ...['--headless', ...asRoot, '--remote-debugging-port=0', '--no-first-run'],
        ...[`--user-data-dir=${this.#profile}`, '--disable-gpu', '--disable-dev-shm-usage'],
        // A tab that crashes takes no other along.
        ...['--renderer-process-limit=50', '--disable-background-networking', 'about:blank'],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], detached: true },
    );
    this.#child = child;
    let output = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      output = (output + chunk).slice(-OUTPUT_KEPT);
    });
    const address = await eventually(
      () => {
        const found = /^DevTools listening on (\S+)$/m.exec(output);
        if (found === null) throw new Error(`${program} does not start:\n${output}`);
        return found[1]!;
      },
      { timeout: 20_000, interval: 10 },
    );
    this.#browser = await chromium.connectOverCDP(address, { noDefaults: true, isLocal: true });
  }

  get context(): BrowserContext {
    return this.#browser!.contexts()[0]!;
  }

  /** A new tab, in front of the others. */
  async open(address: string): Promise<Tab> {
    const page = await this.context.newPage();
    const tab = new Tab(page);
    await page.goto(address);
    return tab;
  }

  /** Whether the network is away: packets wait, and `navigator.onLine` says so. */
  async setOffline(isOffline: boolean): Promise<void> {
    await this.context.setOffline(isOffline);
  }

  /** `kill -9` of all its processes. */
  async kill(): Promise<void> {
    const child = this.#child!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

export class Tab {
  readonly page: Page;
  /** What was thrown in the page and caught by nobody. */
  readonly errors: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  /** As a machine that sleeps does: no timer, no message. */
  async freeze(): Promise<void> {
    await this.#lifecycle('frozen');
  }

  async wake(): Promise<void> {
    await this.#lifecycle('active');
    await this.page.bringToFront();
  }

  /** The process of the tab dies. */
  async crash(): Promise<void> {
    const crashed = new Promise<void>((resolve) => {
      this.page.once('crash', () => resolve());
    });
    const session = await this.page.context().newCDPSession(this.page);
    // Never answered: who would answer is gone.
    session.send('Page.crash').catch(() => {});
    await crashed;
  }

  async #lifecycle(state: 'active' | 'frozen'): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    await session.send('Page.setWebLifecycleState', { state });
    await session.detach();
  }
}
