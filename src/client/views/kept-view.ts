/** The state of a view on the device: it is read once, and written at most once a second. */
import { textOf } from '../../event/thrown.ts';
import type { Cache } from '../device.ts';
import type { FoldedAt } from './folding.ts';

/** Milliseconds between two times that it is written. */
const PAUSE = 1_000;

/** What is kept of a view. */
export interface ViewAt<State> extends FoldedAt<State> {
  /** Whether it was ever read up to the end of the log: before that, there is nothing to show. */
  readonly isLoaded: boolean;
}

export class KeptView<State> {
  readonly #cache: Cache;
  readonly #name: string;
  readonly #version: string;
  /** What the view is now. */
  readonly #now: () => ViewAt<State>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether states can be kept; undefined until one was tried. */
  #isData: boolean | undefined;

  constructor(cache: Cache, name: string, version: string, now: () => ViewAt<State>) {
    this.#cache = cache;
    this.#name = name;
    this.#version = version;
    this.#now = now;
  }

  /** Undefined where there is nothing of this version that can be read. */
  async read(): Promise<ViewAt<State> | undefined> {
    try {
      const known = await this.#cache.state(this.#name);
      if (known?.version !== this.#version) return undefined;
      return { ...(known.state as ViewAt<State>), cursor: known.cursor };
    } catch {
      return undefined;
    }
  }

  /** The view has changed. */
  keepSoon(): void {
    this.#timer ??= setTimeout(() => this.#keep(), PAUSE);
  }

  /** Nothing more is coming, perhaps. */
  keepNow(): void {
    if (this.#timer === undefined) return;
    this.#keep();
    void this.#cache.flush().catch(() => {});
  }

  #keep(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isData === false) return;
    const { cursor, ...kept } = this.#now();
    try {
      this.#isData ??= comesBack(kept.state);
      this.#cache.keep(this.#name, { state: kept, cursor, version: this.#version });
    } catch (error) {
      this.#isData = false;
      console.warn(
        `millrace: the state of ${this.#name} is not kept on the device, as it is no plain data: ${textOf(error)}`,
      );
    }
  }
}

/** @throws what `structuredClone` throws, TypeError */
function comesBack(state: unknown): true {
  const copy: unknown = structuredClone(state);
  if (Object(state) === state && prototypeOf(copy) !== prototypeOf(state)) {
    throw new TypeError('it is of a class, which its copies are not');
  }
  return true;
}

function prototypeOf(value: unknown): unknown {
  return Object.getPrototypeOf(value) ?? Object.prototype;
}
