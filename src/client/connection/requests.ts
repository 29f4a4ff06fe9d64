/** What is asked of a gateway over HTTP. Problems become failures: {@link Refused}, or {@link Unreached}. */
import { InvalidInput } from '../../event/error.ts';
import type { LogName } from '../../event/log-name.ts';
import { writeAppend } from '../../protocol/append-request.ts';
import { readAppended } from '../../protocol/appended.ts';
import { asText, objectIn } from '../../protocol/json-members.ts';
import { type EventsPage, readPage } from '../../protocol/page.ts';
import { type Failure, readProblem } from '../../protocol/problem.ts';
import { startFields } from '../../protocol/start.ts';
import { Refused } from '../errors.ts';
import type { AppendAttempt, AttemptAnswer, ClientStart } from '../upstream.ts';
import { UNANSWERED } from './lanes.ts';
import type { Tokens } from './token.ts';
import { Unreached } from './unreached.ts';

/** How long an answer may take, and how much longer for each byte that is sent, in milliseconds. */
const PATIENCE = 30_000;
const PATIENCE_A_BYTE = 0.1;
/** The same for whether there is a gateway at all. */
const SHORT_PATIENCE = 10_000;

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export class Requests {
  /** The address of the gateway, without a slash at its end. */
  readonly base: string;
  readonly #fetch: typeof fetch;
  readonly #tokens: Tokens;

  constructor(base: string, fetcher: typeof fetch, tokens: Tokens) {
    this.base = base;
    // Browsers refuse to have it called as a method of something else.
    this.#fetch = (input, init) => fetcher(input, init);
    this.#tokens = tokens;
  }

  /** What an upgrade of the address would be answered: a browser does not show that. @throws Refused */
  async look(path: string): Promise<void> {
    try {
      await this.#ask(path, {}, noGateway, SHORT_PATIENCE);
    } catch (error) {
      if (failureOf(error).code !== 'upgrade_required') throw error;
    }
  }

  /** @throws Refused */
  ticket(): Promise<string> {
    return this.#ask('/tickets', { method: 'POST' }, (body) =>
      asText(objectIn(body, 'the ticket').ticket, 'ticket'),
    );
  }

  /** @throws Refused */
  page(log: LogName, start: ClientStart, limit = 1_000, signal?: AbortSignal): Promise<EventsPage> {
    const path = `${eventsPath(log, start)}&limit=${limit}`;
    return this.#ask(path, signal === undefined ? {} : { signal }, readPage);
  }

  /** Never rejects. */
  async append({ log, ...append }: AppendAttempt): Promise<AttemptAnswer> {
    try {
      const { body, headers } = writeAppend(append);
      const asked = { method: 'POST', body, headers };
      return { kind: 'appended', appended: await this.#ask(eventsPath(log), asked, readAppended) };
    } catch (error) {
      return error instanceof Unreached
        ? UNANSWERED
        : { kind: 'refused', failure: failureOf(error) };
    }
  }

  /** A live stream; the caller's signal ends it. @throws Refused */
  async stream(
    log: LogName,
    start: ClientStart,
    signal: AbortSignal,
  ): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    const headers = { Accept: 'text/event-stream' };
    const { body } = await this.#send(eventsPath(log, start), { headers, signal });
    return body!.getReader();
  }

  /** What a whole answer says, in time. */
  async #ask<Answer>(
    path: string,
    asked: Asked,
    read: (body: string) => Answer,
    patience = PATIENCE,
  ): Promise<Answer> {
    const controller = new AbortController();
    const abort = () => controller.abort();
    asked.signal?.addEventListener('abort', abort);
    const timer = setTimeout(abort, patience + (asked.body?.length ?? 0) * PATIENCE_A_BYTE);
    try {
      const answer = await this.#send(path, { ...asked, signal: controller.signal });
      // What cannot be read is not of a gateway, but of a hotel's sign-in page.
      return read(await answer.text());
    } catch (error) {
      throw error instanceof Refused ? error : new Unreached();
    } finally {
      clearTimeout(timer);
      asked.signal?.removeEventListener('abort', abort);
    }
  }

  async #send(path: string, asked: Asked, isAgain = false): Promise<Response> {
    const token = await this.#tokens.current();
    let answer: Response;
    let failure: Failure;
    try {
      answer = await this.#fetch(this.base + path, {
        ...asked,
        headers: {
          ...asked.headers,
          ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        },
        cache: 'no-store',
        // Without a token it may be a session that says who we are.
        credentials: token === undefined ? 'include' : 'same-origin',
      });
      if (answer.ok) return answer;
      failure = readProblem(await answer.text());
    } catch {
      // What is no problem of a gateway's comes from something in between.
      throw new Unreached();
    }
    if (failure.code !== 'unauthenticated' || token === undefined || isAgain) {
      throw new Refused(failure);
    }
    this.#tokens.drop();
    return this.#send(path, asked, true);
  }
}

function noGateway(): never {
  throw new Unreached();
}

/** What went wrong, whatever it was. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refused) return error.failure;
  const { code = 'internal', message } = error as {
    readonly code?: string;
    readonly message: string;
  };
  return error instanceof InvalidInput ? { code, message, field: error.field } : { code, message };
}

function eventsPath(log: LogName, start?: ClientStart): string {
  const fields = Object.entries(start === undefined ? {} : startFields(start));
  const query = fields.map(([name, value]) => `${name}=${value}`);
  return `/logs/${log}/events?${query}`;
}
