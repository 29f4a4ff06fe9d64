/** Web Locks and a BroadcastChannel for tabs of one process: each can be closed, killed, frozen. */

interface Request {
  readonly owner: string;
  readonly grant: () => void;
  readonly steal: () => void;
}

/** The locks of a browser. */
export class FakeLocks {
  readonly #held = new Map<string, Request>();
  readonly #queues = new Map<string, Request[]>();

  /** Tabs whose code does not run, and what they do once it does. */
  readonly #still = new Map<string, (() => void)[]>();

  freeze(owner: string): void {
    this.#still.set(owner, this.#still.get(owner) ?? []);
  }

  thaw(owner: string): void {
    const waiting = this.#still.get(owner) ?? [];
    this.#still.delete(owner);
    for (const go of waiting) go();
  }

  /** As one tab has them. */
  of(owner: string): LockManager {
    const request = (name: string, ...rest: unknown[]): Promise<unknown> => {
      const callback = rest.at(-1) as () => unknown;
      const { steal = false, signal } = (rest.length > 1 ? rest[0] : {}) as LockOptions;
      return new Promise((resolve, reject) => {
        const still = this.#still.get(owner);
        if (still !== undefined) {
          still.push(() => resolve(request(name, ...rest)));
          return;
        }
        const aborted = () => reject(new DOMException('lost', 'AbortError'));
        if (signal?.aborted) {
          aborted();
          return;
        }
        const entry: Request = {
          owner,
          grant: () => {
            this.#held.set(name, entry);
            void (async () => {
              await Promise.resolve();
              const frozen = this.#still.get(owner);
              if (frozen) await new Promise<void>((go) => frozen.push(go));
              try {
                resolve(await callback());
              } catch (error) {
                reject(error);
              }
              if (this.#held.get(name) === entry) this.#free(name);
            })();
          },
          steal: aborted,
        };
        signal?.addEventListener('abort', () => {
          const queue = this.#queues.get(name) ?? [];
          if (!queue.includes(entry)) return;
          queue.splice(queue.indexOf(entry), 1);
          aborted();
        });
        if (steal) {
          this.#held.get(name)?.steal();
          entry.grant();
        } else if (this.#held.has(name)) {
          this.#queues.set(name, [...(this.#queues.get(name) ?? []), entry]);
        } else {
          entry.grant();
        }
      });
    };
    return { request, query: () => Promise.reject(new Error('not used')) } as LockManager;
  }

  /** The tab is gone without a word: what it held is free, what it waited for is forgotten. */
  kill(owner: string): void {
    this.#still.set(owner, []);
    for (const queue of this.#queues.values()) {
      for (const entry of queue.filter((each) => each.owner === owner)) {
        queue.splice(queue.indexOf(entry), 1);
      }
    }
    for (const [name, entry] of [...this.#held]) if (entry.owner === owner) this.#free(name);
  }

  #free(name: string): void {
    this.#held.delete(name);
    this.#queues.get(name)?.shift()?.grant();
  }
}

/** The air between tabs. */
export class FakeAir {
  readonly #channels = new Set<FakeChannel>();
  /** So many of the next messages are lost. */
  lose = 0;

  open(): FakeChannel {
    const channel = new FakeChannel((from, data) => {
      if (this.lose > 0) {
        this.lose -= 1;
        return;
      }
      for (const other of this.#channels) if (other !== from) other.receive(data);
    });
    this.#channels.add(channel);
    return channel;
  }

  remove(channel: FakeChannel): void {
    this.#channels.delete(channel);
  }
}

export class FakeChannel extends EventTarget {
  readonly #send: (from: FakeChannel, data: unknown) => void;
  readonly #waiting: unknown[] = [];
  isFrozen = false;
  isGone = false;

  constructor(send: (from: FakeChannel, data: unknown) => void) {
    super();
    this.#send = send;
  }

  postMessage(data: unknown): void {
    const clone = structuredClone(data);
    if (!this.isGone) queueMicrotask(() => this.#send(this, clone));
  }

  receive(data: unknown): void {
    if (this.isGone) return;
    if (this.isFrozen) this.#waiting.push(data);
    else this.dispatchEvent(new MessageEvent('message', { data }));
  }

  /** What came meanwhile comes at once. */
  thaw(): void {
    this.isFrozen = false;
    for (const data of this.#waiting.splice(0)) this.receive(data);
  }

  close(): void {
    this.isGone = true;
  }
}
