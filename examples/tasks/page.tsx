/** The page of a task list: shows what is typed at once. How it gets to the others is the client's business. */
import { connect, withDeciders } from 'millrace/client';
import { indexedDb } from 'millrace/client/indexeddb';
import { MillraceProvider, useClient, useCommand, useConnection, useView } from 'millrace/react';
import { type FormEvent, StrictMode, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { type Command, list, type Task } from './list.ts';

const address = new URLSearchParams(location.search);
const account = address.get('account') ?? 'ada';
const log = `tasks:${address.get('list') ?? 'home'}`;
const client = withDeciders(connect('/', { account, persist: indexedDb() }), [list]);

function TaskList() {
  const { state: tasks, isLoaded, pending, refusals } = useView(log, list);
  const [handle, { error, reset }] = useCommand(list);
  const { outbox } = useClient();
  const field = useRef<HTMLInputElement>(null);
  const run = (command: Command) => void handle(command, { to: log });
  const add = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    run({ do: 'add', id: crypto.randomUUID(), title: field.current?.value ?? '' });
    event.currentTarget.reset();
  };
  const remove = ({ id, title }: Task) => {
    run({ do: 'remove', id, title });
    field.current?.focus(); // The button that had the focus goes.
  };
  // Refused by what others had done by the time that it was sent, or at once.
  const handedBack = refusals.map((refusal) => ({
    text: refusal.failure.message,
    dismiss: () => void outbox.dismiss(refusal).then(reset),
  }));
  const now = error instanceof Error ? [{ text: error.message, dismiss: reset }] : [];
  const refused = handedBack.length > 0 ? handedBack : now;
  const left = tasks.filter(({ done }) => !done).length;
  return (
    <main>
      <header>
        <h1>Tasks</h1>
        <Connection waiting={pending.length} />
      </header>
      <form onSubmit={add}>
        <input ref={field} aria-label="New task" placeholder="What is to be done?" />
        <button type="submit">Add</button>
      </form>
      <div role="alert">
        {refused.map(({ text, dismiss }) => (
          <p key={text} className="refused">
            {text}{' '}
            <button type="button" onClick={dismiss}>
              Dismiss
            </button>
          </p>
        ))}
      </div>
      {!isLoaded && <p aria-busy="true">Fetching the list…</p>}
      {isLoaded && tasks.length === 0 && <p>Nothing to do yet. Add the first task.</p>}
      <ul aria-label="Tasks">
        {tasks.map((task) => (
          <Item key={task.id} {...{ task, run, remove }} />
        ))}
      </ul>
      <footer>
        You are {account}. {tasks.length > 0 && `${left} of ${tasks.length} to do.`}
      </footer>
    </main>
  );
}

function Connection({ waiting }: { readonly waiting: number }) {
  const { status, reason } = useConnection();
  const changes = `, ${waiting} ${waiting === 1 ? 'change' : 'changes'} waiting`;
  return (
    <output className={status} title={reason}>
      {status + (waiting > 0 ? changes : '')}
    </output>
  );
}

interface ItemProps {
  readonly task: Task;
  readonly run: (command: Command) => void;
  readonly remove: (task: Task) => void;
}

function Item({ task, run, remove }: ItemProps) {
  const { id, title, done } = task;
  const [draft, setDraft] = useState<string>(); // While somebody types.
  const rename = () => {
    if (draft !== undefined && draft.trim() !== title) run({ do: 'rename', id, title: draft });
    setDraft(undefined);
  };
  return (
    <li>
      <input
        type="checkbox"
        aria-label={`Done: ${title}`}
        checked={done}
        onChange={() => run({ do: 'tick', id, title, done: !done })}
      />
      <input
        aria-label={`Title of ${title}`}
        value={draft ?? title}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={rename}
        onKeyDown={({ key }) => {
          if (key === 'Enter') rename();
          if (key === 'Escape') setDraft(undefined);
        }}
      />
      <small>{task.waits ? 'waiting' : task.by}</small>
      <button type="button" aria-label={`Remove ${title}`} onClick={() => remove(task)}>
        ✕
      </button>
    </li>
  );
}

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MillraceProvider client={client}>
      <TaskList />
    </MillraceProvider>
  </StrictMode>,
);
