/** Whether the settings about access fit together. Better no gateway than one that is open by mistake. */
import { isIP } from 'node:net';
import { CommandFailure, EXIT_USAGE } from '../failure.ts';
import type { Settings } from './settings.ts';

const OF_JWT = {
  jwtSecret: 'MILLRACE_JWT_SECRET',
  jwtSecretFile: '--jwt-secret-file',
  jwks: '--jwks',
  jwtIssuer: '--jwt-issuer',
  jwtAudience: '--jwt-audience',
  tokenCookie: '--token-cookie',
} as const;

/** @throws CommandFailure (exit code 2) that says what to change */
export function checkAccess(settings: Settings): void {
  const { auth } = settings;
  if (auth === 'none') checkExposure(settings);
  if (auth === 'jwt') checkKeys(settings);
  else refuseAll(settings, OF_JWT, 'jwt');
  if (auth !== 'session') refuseAll(settings, { sessionField: '--session-field' }, 'session');
  if (auth !== 'none') refuseAll(settings, { insecure: '--insecure' }, 'none');
  else if (settings.append === 'own') {
    refuseAll(settings, { append: '--append own' }, 'jwt or --auth session');
  }
}

/** The gateway asks nobody who they are, so it keeps to this machine unless told otherwise. */
function checkExposure({ host, insecure }: Settings): void {
  if (insecure || isLoopback(host)) return;
  throw refusal(
    `--host ${host} can be reached from other machines, and without --auth the gateway does not ask who ` +
      'connects: anybody could read and write every log. Say --auth jwt or --auth session, keep to ' +
      '--host 127.0.0.1, or add --insecure if something in front of it decides who may connect.',
  );
}

function checkKeys({ jwtSecret, jwtSecretFile, jwks }: Settings): void {
  const given = [jwtSecret, jwtSecretFile, jwks].filter((key) => key !== undefined);
  if (given.length === 1) return;
  throw refusal(
    '--auth jwt needs to know how tokens are checked: one of --jwt-secret-file, the variable ' +
      `MILLRACE_JWT_SECRET, and --jwks${given.length === 0 ? '' : ', and not more than one'}.`,
  );
}

/** What is set and does not count is a mistake, and it may be the mistake that matters. */
function refuseAll(
  settings: Settings,
  names: Readonly<Partial<Record<keyof Settings, string>>>,
  mode: string,
): void {
  for (const [name, shown] of Object.entries(names)) {
    const value = settings[name as keyof Settings];
    if (value === undefined || value === false) continue;
    throw refusal(`${shown} is set, and only counts with --auth ${mode}.`);
  }
}

export function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.');
  return host === '::1' || host.toLowerCase() === 'localhost';
}

function refusal(message: string): CommandFailure {
  return new CommandFailure(message, EXIT_USAGE);
}
