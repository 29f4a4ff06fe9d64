/** One change of every kind, done in a process of its own while its disk fails, and looked for afterwards. */
import { expect } from 'vitest';
import type { Answer, RemoteLog } from './embedded-remote.ts';

/** All that is ever written to a folder, but for making it. */
export const KINDS = [
  'append',
  'events',
  'producer',
  'trim',
  'record',
  'rows',
  'drop',
  'join',
  'work',
] as const;

export type Kind = (typeof KINDS)[number];

interface Deed {
  readonly kind: Kind;
  readonly number: number;
  readonly code: string;
}

/** What a change may answer when the disk fails it. */
const HONEST = ['ok', 'unavailable', 'outcome_unknown'];

/** That a group was joined leaves nothing that one could look for. */
export const TRACELESS: readonly Kind[] = ['join', 'work'];

export class Deeds {
  readonly #deeds: Deed[] = [];

  /**
   * Does one thing while `fault` is in force, and looks whether what was answered is true.
   * @param kind must not be answered `outcome_unknown` unless that is what `allowed` says
   */
  async tryOut(
    remote: RemoteLog,
    kind: Kind,
    fault: () => void = () => {},
    heal: () => void = () => {},
  ): Promise<string> {
    const number = this.#deeds.length + 1;
    succeeded(await remote.call('prepare', kind, number));
    fault();
    const answer = await remote.call('do', kind, number);
    heal();
    const code = answer.code ?? 'ok';
    const what = `${kind} ${number}: ${JSON.stringify(answer)}; ${remote.exit}\n${remote.said}`;
    expect(HONEST, what).toContain(code);
    this.#deeds.push({ kind, number, code });
    if (code !== 'outcome_unknown') await this.#look(remote, { kind, number, code });
    return code;
  }

  /** All that was answered, in a store that has been opened anew. */
  async verify(remote: RemoteLog): Promise<void> {
    for (const deed of this.#deeds) await this.#look(remote, deed);
    const jobs = this.#deeds.filter(({ kind }) => kind === 'work');
    if (jobs.length === 0) return;
    const open = succeeded(await remote.call('jobs')) as string[];
    for (const { number, code } of jobs) {
      if (code === 'ok') expect(open).not.toContain(`job:${number}`);
      if (code === 'unavailable') expect(open).toContain(`job:${number}`);
    }
  }

  async #look(remote: RemoteLog, { kind, number, code }: Deed): Promise<void> {
    if (TRACELESS.includes(kind)) return;
    const done = succeeded(await remote.call('isDone', kind, number));
    if (code !== 'outcome_unknown') expect(done, `${kind} ${number}: ${code}`).toBe(code === 'ok');
  }
}

export function succeeded(answer: Answer): unknown {
  if (answer.code !== undefined) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.ok;
}
