/** What deciders need of a log, read and appended to through a gateway's HTTP. */
import { OutcomeUnknown, StoredEvent, Unavailable, VersionConflict } from '../../dist/index.js';

export class GatewayLog {
  #url;

  constructor(url) {
    this.#url = url;
  }

  async read(log, { after = '0-0', limit = 100 } = {}) {
    const response = await this.#ask(
      `${log}/events?after=${after}&limit=${limit}`,
      {},
      Unavailable,
    );
    if (!response.ok) throw await refusal(response);
    const { events, more, version } = await response.json();
    return { events: events.map(stored), more, version, standing: { state: 'whole' } };
  }

  async append(log, events, { expected, producer } = {}) {
    const headers = {
      ...(expected && { 'if-match': `"${expected}"` }),
      ...(producer && {
        'producer-id': producer.id,
        'producer-epoch': producer.epoch,
        'producer-seq': producer.seq,
      }),
    };
    const request = { method: 'POST', headers, body: JSON.stringify(events) };
    const response = await this.#ask(`${log}/events`, request, OutcomeUnknown);
    if (!response.ok) throw await refusal(response, log, expected);
    return response.json();
  }

  async #ask(path, request, Lost) {
    try {
      const response = await fetch(`${this.#url}/logs/${path}`, request);
      // The body may be lost as well: it is what says how it ended.
      return new Response(await response.text(), { status: response.status });
    } catch (cause) {
      throw new Lost('the gateway did not answer', { cause });
    }
  }
}

function stored({ id, type, payload, meta }) {
  const text = typeof payload === 'string';
  const data = text ? payload : JSON.stringify(payload);
  return new StoredEvent(id, type, text ? 'text' : 'json', data, meta && JSON.stringify(meta));
}

async function refusal(response, log, expected) {
  const { code, detail, actual } = await response.json();
  if (code === 'version_conflict') return new VersionConflict(log, expected, actual);
  if (code === 'outcome_unknown') return new OutcomeUnknown(detail);
  return Object.assign(new Unavailable(detail ?? code), { code });
}
