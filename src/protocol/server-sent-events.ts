/**
 * Server-sent events as bytes become them, by the book
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation):
 * for whoever reads a stream without an EventSource. What the messages mean is not known here.
 */

/** A message of a stream. */
export interface ServerSentEvent {
  /** `message` for one without a name. */
  readonly event: string;
  /** The last one that the stream has given out, this message's own or an earlier one's. */
  readonly lastEventId: string;
  readonly data: string;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/** One stream. What a stream ends in the middle of is never told. */
export class ServerSentEventReader {
  /** In how many milliseconds to come back, where the stream has said so. */
  retry: number | undefined;
  #isFirst = true;
  /** The start of a line whose end has not come. */
  #line = '';
  #endedInReturn = false;
  #event = '';
  #data: string[] = [];
  #id = '';
  #lastEventId = '';

  /** What to send as `Last-Event-ID` when coming back; empty when the stream has given out none. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /** Takes the next text of the stream, wherever it is cut, and answers the messages that end in it. */
  read(text: string): ServerSentEvent[] {
    const messages: ServerSentEvent[] = [];
    let start = this.#skipped(text);
    for (let at = start; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit !== LINE_FEED && unit !== CARRIAGE_RETURN) continue;
      const message = this.#take(this.#line + text.slice(start, at));
      if (message !== undefined) messages.push(message);
      this.#line = '';
      // Both together end one line, also when they are cut apart.
      if (unit === CARRIAGE_RETURN) {
        if (text.charCodeAt(at + 1) === LINE_FEED) at += 1;
        else this.#endedInReturn = at + 1 === text.length;
      }
      start = at + 1;
    }
    this.#line += text.slice(start);
    return messages;
  }

  /** How much of a text is to be passed over. */
  #skipped(text: string): number {
    if (text === '') return 0;
    const isMark = this.#isFirst && text.startsWith(BYTE_ORDER_MARK);
    const isRest = this.#endedInReturn && text.charCodeAt(0) === LINE_FEED;
    this.#isFirst = false;
    this.#endedInReturn = false;
    return isMark || isRest ? 1 : 0;
  }

  #take(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    // A comment begins with the colon.
    if (colon === 0) return undefined;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#event = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    return undefined;
  }

  #dispatch(): ServerSentEvent | undefined {
    this.#lastEventId = this.#id;
    const event = this.#event === '' ? 'message' : this.#event;
    const data = this.#data;
    this.#event = '';
    this.#data = [];
    if (data.length === 0) return undefined;
    return { event, lastEventId: this.#lastEventId, data: data.join('\n') };
  }
}
