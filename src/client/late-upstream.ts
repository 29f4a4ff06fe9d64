/** An upstream that is used before it is known what it is: whether this tab leads follows from what is kept on the device. */
import type { LogName } from '../event/log-name.ts';
import type { EventsPage } from '../protocol/page.ts';
import type { ConnectionState } from './connection/state.ts';
import { CLIENT_CLOSED, Refused } from './errors.ts';
import { Changing, type Readable } from './readable.ts';
import type { ClientStart, GatewayLink, Upstream } from './upstream.ts';

type Real = Upstream & Pick<GatewayLink, 'page'>;

export class LateUpstream implements Real {
  /** What its state is before it is anything. */
  readonly opening: Readable<ConnectionState> = new Changing<ConnectionState>({
    status: 'connecting',
    reason: 'what is kept on this device is opened',
  });
  readonly state = new Changing<ConnectionState>(this.opening.get());
  readonly account: Changing<string | undefined>;
  readonly #logs = new Map<LogName, ClientStart>();
  readonly #known: Promise<Real>;
  #become = (_real: Real) => {};
  #fail = (_error: Refused) => {};
  #real: Real | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(account: string | undefined) {
    this.account = new Changing(account);
    this.#known = new Promise((resolve, reject) => {
      this.#become = resolve;
      this.#fail = reject;
    });
    this.#known.catch(() => {});
  }

  follow(log: LogName, start: ClientStart): void {
    if (this.#real === undefined) this.#logs.set(log, start);
    else this.#real.follow(log, start);
  }

  unfollow(log: LogName): void {
    this.#logs.delete(log);
    this.#real?.unfollow(log);
  }

  async page(log: LogName, start: ClientStart, limit?: number): Promise<EventsPage> {
    return (await this.#known).page(log, start, limit);
  }

  /** It is this from now on. Nothing if it was closed. */
  become(real: Real): void {
    if (this.state.get().status === 'closed') {
      real.close();
      return;
    }
    this.#real = real;
    this.show(real.state);
    const tell = () => this.account.set(real.account.get() ?? this.account.get());
    real.account.subscribe(tell);
    tell();
    for (const [log, start] of this.#logs) real.follow(log, start);
    this.#become(real);
  }

  /** As long as it is nothing else, that is what its state is. */
  show(state: Readable<ConnectionState>): void {
    this.#unsubscribe?.();
    const tell = () => this.state.set(state.get());
    this.#unsubscribe = state.subscribe(tell);
    tell();
  }

  close(): void {
    this.#unsubscribe?.();
    this.#fail(new Refused(CLIENT_CLOSED));
    this.#real?.close();
    this.state.set({ status: 'closed', reason: 'it was closed here' });
  }
}
