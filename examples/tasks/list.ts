/** The rules of a task list, the same on the page and on a server: commands in, events out. */
import { decider, defineEvents, isPending } from 'millrace/client';
import { z } from 'zod/mini';

const id = z.uuid();
const added = z.object({ id, title: z.string().check(z.minLength(1), z.maxLength(200)) });
const ticked = z.object({ id, done: z.boolean() });
const removed = z.object({ id });

const events = defineEvents({ Added: added, Renamed: added, Ticked: ticked, Removed: removed });

/** `by` has added it; `waits`: something about it is on its way. */
export type Task = Readonly<{
  id: string;
  title: string;
  done: boolean;
  by: string;
  waits: boolean;
}>;

/** With the title also where it stays as it is: for whoever reads why that was refused. */
export type Command =
  | { do: 'add' | 'rename' | 'remove'; id: string; title: string }
  | { do: 'tick'; id: string; title: string; done: boolean };

/** Of one log, `tasks:<name>`. */
export const list = decider({
  name: 'tasks',
  events,
  initial: [] as readonly Task[],
  decide(command: Command, tasks) {
    const { id } = command;
    const task = tasks.find((each) => each.id === id);
    // What is gone already needs no removing, and nobody told.
    if (command.do === 'remove') return task && events.create('Removed', { id });
    if (task === undefined && command.do !== 'add') {
      throw new Error(`“${command.title}” is not on the list any more: somebody has removed it.`);
    }
    if (command.do === 'tick') {
      return task?.done === command.done ? [] : events.create('Ticked', { id, done: command.done });
    }
    const title = command.title.trim();
    if (title === '') throw new Error('A task needs a title.');
    if (title.length > 200) throw new Error('A title has at most 200 characters.');
    if (tasks.some((each) => each.title === title && each.id !== id)) {
      throw new Error(`“${title}” is on the list already.`);
    }
    return events.create(task === undefined ? 'Added' : 'Renamed', { id, title });
  },
  evolve(tasks, event) {
    const { type, payload } = event;
    const waits = isPending(event);
    const change = (changes: Partial<Task>) =>
      tasks.map((each) => (each.id === payload.id ? { ...each, ...changes, waits } : each));
    const by = String(event.meta.from).replace('account:', ''); // The gateway's word.
    if (type === 'Added') return [...tasks, { ...payload, done: false, by, waits }];
    if (type === 'Renamed') return change({ title: event.payload.title });
    if (type === 'Ticked') return change({ done: event.payload.done });
    return tasks.filter((each) => each.id !== payload.id);
  },
});
