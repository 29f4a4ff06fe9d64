/** `millrace serve`: the gateway over the chosen store, until a signal ends it. */
import { Command } from 'commander';
import { createAccounts } from '../../accounts/accounts.ts';
import { textOf } from '../../event/thrown.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { listen } from '../../gateway/node/listen.ts';
import { createLive } from '../../live/create-live.ts';
import { banner } from '../banner.ts';
import { CommandFailure, EXIT_FAILURE } from '../failure.ts';
import { createLogger } from '../logger.ts';
import { noticesTo } from '../notices.ts';
import { readAuthentication } from '../settings/authentication.ts';
import { readDotEnv } from '../settings/dot-env.ts';
import { optionFor, typedFlags } from '../settings/flags.ts';
import { eventLimits, gatewayLimits } from '../settings/limit-settings.ts';
import { type Flags, resolveSettings } from '../settings/resolve-settings.ts';
import type { Setting } from '../settings/setting.ts';
import { SETTINGS, type Settings } from '../settings/settings.ts';
import { stopOnSignal } from '../shutdown.ts';
import { openChosen } from '../store.ts';
import { packageVersion } from '../version.ts';

/** How long requests and sockets get to come to their end, in milliseconds; the store needs the rest of the 10 s. */
const GRACE = 5_000;

/** The records that a gateway keeps, with an example for each kind; those of sessions are the application's. */
const RECORDS = {
  account_id: 'account_id',
  'email:*': 'email:a',
  'open_reservations:*': 'open_reservations:0',
  'ticket:*': 'ticket:a',
  'limit:*': 'limit:a',
  'gateway:*': 'gateway:a',
};

const EXAMPLES = `
Examples:
  millrace serve                                    embedded store in ./millrace-data, port 4000
  millrace serve --port 4555 --store ./data
  millrace serve --store redis://localhost:6379
  millrace serve --store rediss://user:secret@redis.example.com:6380/2
  millrace serve --allow-origin https://app.example.com
  millrace serve --auth jwt --jwks https://id.example.com/jwks.json --jwt-audience millrace
  REDIS_ENDPOINT=redis://localhost:6379 PORT=4555 millrace serve

A flag wins over the environment, the environment over a .env file in the working directory.
Passwords are better kept in the environment or .env: others can see a command line.
SIGTERM or Ctrl-C stops it: what is in flight comes to its end, sockets are closed with 1001.
`;

/** The command, for the program to add. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .summary('run the gateway: WebSocket, SSE and HTTP over a store')
    .description(
      'Runs the gateway that clients connect to: WebSocket, server-sent events and HTTP over one store.',
    )
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, self: Command) => serve(typedFlags(self)));
  for (const setting of Object.values<Setting>(SETTINGS)) {
    if (setting.flag !== undefined) command.addOption(optionFor(setting, setting.flag));
  }
  return command;
}

async function serve(flags: Flags): Promise<void> {
  const settings = resolveSettings({ flags, environment: process.env, dotEnv: readDotEnv() });
  const logger = createLogger(settings.logLevel);

  const authentication = readAuthentication(settings, logger);
  const onNotice = noticesTo(logger);
  const store = await openChosen(settings.store, {
    limits: eventLimits(settings),
    redis: { sweepInterval: settings.sweep, appendWait: settings.appendWait, keys: RECORDS },
    onNotice,
  });
  const { log, records } = store;
  const live = createLive({ log });
  const accounts = createAccounts({ log, records, onNotice });
  const gateway = createGateway({
    log,
    live,
    records,
    accounts,
    authenticate: authentication(records),
    append: settings.append,
    // Not given, all may be appended.
    appendTypes: settings.appendTypes.length > 0 ? settings.appendTypes : undefined,
    registration: settings.registration,
    allowOrigins: settings.allowOrigin,
    allowHosts: settings.allowHost,
    trustProxy: settings.trustProxy,
    limits: gatewayLimits(settings),
    // The other stores have one process at a time.
    sharedLimits: settings.store.kind === 'redis' ? records : undefined,
    logger,
  });
  const server = await listen(gateway, { host: settings.host, port: settings.port }).catch(
    async (error: unknown) => {
      await store.close();
      throw cannotListen(settings, error);
    },
  );

  stopOnSignal(
    process,
    async () => {
      await store.close(GRACE);
      logger.info('stopped');
    },
    (signal) => logger.info({ signal }, 'stopping: no new connections, what is in flight ends'),
    (error) => logger.error({ reason: textOf(error) }, 'did not stop cleanly'),
  );
  process.stdout.write(banner(packageVersion(), server.url, await log.describe(), settings));
}

function cannotListen({ host, port }: Settings, error: unknown): CommandFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} on ${host} is in use by another program; choose another with --port (0: any free one)`,
    EACCES: `port ${port} needs more rights than this user has; choose one above 1023 with --port`,
    EADDRNOTAVAIL: `--host ${host} is no address of this machine`,
    ENOTFOUND: `--host ${host} is not known`,
  };
  const reason = reasons[code ?? ''] ?? message;
  return new CommandFailure(`Cannot listen: ${reason}.`, EXIT_FAILURE, { cause: error });
}
