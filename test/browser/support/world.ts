/** A gateway as a process of its own, with devices before it, each behind a front of its own. */
import { temporaryFolder } from '../../e2e/command.ts';
import { GatewayProcess } from '../../support/gateway-process.ts';
import type { OpenOptions } from '../page/page.ts';
import { ClientPage } from './client-page.ts';
import { Device } from './device.ts';
import { Front } from './front.ts';
import { pageFiles } from './page-bundle.ts';

let files: ReturnType<typeof pageFiles> | undefined;

/** A device and what lies between it and the gateway. */
export class Place implements AsyncDisposable {
  readonly device: Device;
  readonly front: Front;

  constructor(device: Device, front: Front) {
    this.device = device;
    this.front = front;
  }

  open(options: OpenOptions, freshToken?: () => Promise<string>): Promise<ClientPage> {
    return ClientPage.open(this.device, this.front, options, freshToken);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.device[Symbol.asyncDispose]();
    await this.front[Symbol.asyncDispose]();
  }
}

interface Page {
  readonly events: readonly { readonly payload: { readonly text: string } }[];
  readonly cursor: string;
  readonly more: boolean;
}

export class World implements AsyncDisposable {
  readonly gateway: GatewayProcess;
  readonly #folder: Disposable;
  /** What places are served. */
  readonly #files: Promise<Readonly<Record<string, string>>>;

  private constructor(
    gateway: GatewayProcess,
    folder: Disposable,
    served: Promise<Readonly<Record<string, string>>>,
  ) {
    this.gateway = gateway;
    this.#folder = folder;
    this.#files = served;
  }

  /**
   * @param flags of `millrace serve`
   * @param served the page, by path; default: that of the tests
   */
  static async start(
    flags: readonly string[] = [],
    served?: Readonly<Record<string, string>>,
  ): Promise<World> {
    files ??= pageFiles();
    const folder = temporaryFolder();
    const gateway = await GatewayProcess.start({ store: folder.path, flags });
    return new World(gateway, folder, served === undefined ? files : Promise.resolve(served));
  }

  async place(): Promise<Place> {
    const [device, front] = await Promise.all([
      Device.start(),
      this.#files.then((served) => Front.start(this.gateway.port, served)),
    ]);
    return new Place(device, front);
  }

  /** The texts of all events in a log, as the gateway has them. */
  async texts(log: string): Promise<string[]> {
    const texts: string[] = [];
    for (let after = '0-0'; ; ) {
      const response = await fetch(this.gateway.http(`/logs/${log}/events?after=${after}`));
      const { events, cursor, more } = (await response.json()) as Page;
      texts.push(...events.map(({ payload }) => payload.text));
      if (!more) return texts;
      after = cursor;
    }
  }

  /** Appended by somebody else. */
  async append(log: string, text: string): Promise<void> {
    const response = await fetch(this.gateway.http(`/logs/${log}/events`), {
      method: 'POST',
      body: JSON.stringify({ type: 'Said', payload: { text } }),
    });
    if (response.status !== 201) throw new Error(await response.text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.kill();
    this.#folder[Symbol.dispose]();
  }
}
