/** What `millrace project` shows: bars on a terminal, lines everywhere else. */
import cliProgress from 'cli-progress';
import type { Projection, ProjectionStatus } from '../../projection/project.ts';

/** How often lines are printed at most, and how often bars move, in milliseconds. */
const LINE_INTERVAL = 2_000;
const BAR_INTERVAL = 100;

type Shown = Pick<Projection<unknown>, 'name' | 'version' | 'status'>;

/** Shows how far projections are, until it is ended. */
export interface Progress {
  /** Shows the last state. */
  end(): void;
}

export function showProgress(
  projections: readonly Shown[],
  output: NodeJS.WriteStream,
  write: (line: string) => void,
): Progress {
  return output.isTTY ? showBars(projections, output) : showLines(projections, write);
}

function showBars(projections: readonly Shown[], output: NodeJS.WriteStream): Progress {
  const bars = new cliProgress.MultiBar(
    {
      stream: output,
      format: '{name} {bar} {percentage}% | {value} of {total} | {note}',
      barsize: 30,
      hideCursor: true,
      clearOnComplete: false,
      stopOnComplete: false,
    },
    cliProgress.Presets.shades_classic,
  );
  const shown = projections.map((projection) => ({
    projection,
    bar: bars.create(1, 0, { name: titleOf(projection), note: '' }),
  }));
  const update = () => {
    for (const { projection, bar } of shown) {
      const status = projection.status();
      bar.setTotal(totalOf(status));
      bar.update(status.position, { note: noteOf(status) });
    }
  };
  const timer = setInterval(update, BAR_INTERVAL);
  return {
    end() {
      clearInterval(timer);
      update();
      bars.stop();
    },
  };
}

function showLines(projections: readonly Shown[], write: (line: string) => void): Progress {
  const last = new Map<Shown, string>();
  const update = () => {
    for (const projection of projections) {
      const status = projection.status();
      const { position } = status;
      const of = `${position.toLocaleString('en')} of ${totalOf(status).toLocaleString('en')}`;
      const line = `${titleOf(projection)}: ${noteOf(status)}, ${of}`;
      if (last.get(projection) !== line) write(line);
      last.set(projection, line);
    }
  };
  const timer = setInterval(update, LINE_INTERVAL);
  return {
    end() {
      clearInterval(timer);
      update();
    },
  };
}

function titleOf({ name, version }: Shown): string {
  return `${name} (version ${version})`;
}

function totalOf({ position, end }: ProjectionStatus): number {
  return Number.isFinite(end) ? Math.max(end, position) : position;
}

function noteOf({ state, trouble, lag }: ProjectionStatus): string {
  if (trouble !== undefined) return `waits for the store: ${trouble}`;
  if (state === 'waiting') return 'another instance works';
  if (state === 'live') return `live, lag ${lag}`;
  return state;
}
