/** The appends of one socket that are under way: begun, counted, answered as they end. */
import type { Appended } from '../../event/appended.ts';
import type { AppendOperation, Ref } from '../../protocol/operation.ts';
import type { WireFormat } from '../../protocol/wire-format.ts';
import type { Appending, Sender } from '../appending.ts';
import type { GatewayLimits } from '../limits/limits.ts';

/** The session whose they are. */
export interface AppendsOwner extends Sender {
  readonly format: WireFormat;
  send(message: string | undefined): void;
  tell(error: unknown, ref: Ref): void;
  /** One has ended, and its client is told. */
  appendEnded(): void;
}

export interface AppendsContext {
  readonly appending: Appending;
  readonly limits: Pick<GatewayLimits, 'maxAppendsInFlight' | 'maxAppendBytesInFlight'>;
}

/** What the answer to an append has for each event. */
const ANSWER_PER_EVENT = 32;

export class Appends {
  /** How many there are. */
  count = 0;
  readonly #context: AppendsContext;
  readonly #owner: AppendsOwner;
  #bytes = 0;

  constructor(context: AppendsContext, owner: AppendsOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  get areFull(): boolean {
    const { maxAppendsInFlight, maxAppendBytesInFlight } = this.#context.limits;
    return this.count >= maxAppendsInFlight || this.#bytes >= maxAppendBytesInFlight;
  }

  /** @param length of the message that it came in */
  begin(operation: AppendOperation, length: number): void {
    const { log, events, ref } = operation;
    // What it takes until it is answered, and its answer.
    const bytes = length + events.length * ANSWER_PER_EVENT;
    let appended: Promise<Appended>;
    try {
      appended = this.#context.appending.append(this.#owner, log, operation, bytes);
    } catch (error) {
      this.#owner.tell(error, ref);
      return;
    }
    this.#answer(appended, ref, bytes);
  }

  /** By itself: what was parsed can be ten times its text, and must not be kept while the store works. */
  #answer(appended: Promise<Appended>, ref: Ref, bytes: number): void {
    this.count += 1;
    this.#bytes += bytes;
    appended.then(
      (outcome) => {
        this.#owner.send(this.#owner.format.appended(ref, outcome));
        this.#end(bytes);
      },
      (error: unknown) => {
        this.#owner.tell(error, ref);
        this.#end(bytes);
      },
    );
  }

  #end(bytes: number): void {
    this.count -= 1;
    this.#bytes -= bytes;
    this.#context.appending.answered(bytes);
    this.#owner.appendEnded();
  }
}
