/** From the settings about access to what the gateway asks. */
import { readFileSync } from 'node:fs';
import { InvalidInput } from '../../event/error.ts';
import { cookieSession } from '../../gateway/identity/cookie-session.ts';
import type { Authenticate } from '../../gateway/identity/identity.ts';
import { type JwtOptions, jwtAuthentication } from '../../gateway/identity/jwt.ts';
import { type Logger, SILENT } from '../../gateway/logger.ts';
import type { Records } from '../../records/records.ts';
import { CommandFailure, EXIT_USAGE } from '../failure.ts';
import type { KeySetPlace } from './access-settings.ts';
import type { Settings } from './settings.ts';

/** How identities are to be found out, where the records are needed for it. */
export type Authentication = (records: Records) => Authenticate | undefined;

/**
 * Reads secrets and keys, before anything is opened.
 * @throws CommandFailure that says what is wrong with them, and never what they are
 */
export function readAuthentication(settings: Settings, logger: Logger = SILENT): Authentication {
  switch (settings.auth) {
    case 'none':
      return () => undefined;
    case 'jwt': {
      const authenticate = jwt(settings, logger);
      return () => authenticate;
    }
    case 'session': {
      const { sessionCookie: cookie, sessionKey: key, sessionField: field } = settings;
      return (records) => cookieSession({ records, cookie, key, field });
    }
  }
}

/** For the banner: how it is found out who connects, and what they may do. */
export function describeAccess(settings: Settings): string {
  const { auth, jwks, jwtIssuer, jwtAudience, sessionCookie } = settings;
  const may = describeAppend(settings);
  if (auth === 'none') return `open: everybody is who they say, and ${may}`;
  if (auth === 'session') return `the session in the cookie ${sessionCookie}; accounts ${may}`;
  const from = jwtIssuer === undefined ? '' : ` from ${jwtIssuer}`;
  const audience = jwtAudience === undefined ? '' : ` for ${jwtAudience}`;
  const proof = jwks === undefined ? 'HS256' : 'RS256, ES256 or EdDSA';
  return `a JSON Web Token (${proof})${from}${audience}; accounts ${may}`;
}

function describeAppend({ auth, append, appendTypes }: Settings): string {
  if (append === 'none') return 'may append to no log';
  const own = append === 'any' ? 'may append to the log of any account' : 'append to their own log';
  const may = auth === 'none' ? 'may append to any log' : own;
  return appendTypes.length === 0 ? may : `${may}, only ${appendTypes.join(', ')}`;
}

function jwt(settings: Settings, logger: Logger): Authenticate {
  const { jwtIssuer: issuer, jwtAudience: audience, jwtTolerance: tolerance } = settings;
  const { source, ...keys } = readKeys(settings);
  try {
    const options = { issuer, audience, tolerance, cookie: settings.tokenCookie, logger };
    return jwtAuthentication({ ...keys, ...options });
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw unusable(source, error.message);
  }
}

function readKeys(settings: Settings): Pick<JwtOptions, 'secret' | 'keys'> & { source: string } {
  const { jwtSecret, jwtSecretFile, jwks } = settings;
  if (jwtSecret !== undefined) return { secret: jwtSecret, source: 'MILLRACE_JWT_SECRET' };
  if (jwtSecretFile !== undefined) {
    // An editor's newline at the end is no part of the secret.
    const secret = readText('--jwt-secret-file', jwtSecretFile).replace(/\r?\n$/, '');
    return { secret, source: `--jwt-secret-file ${jwtSecretFile}` };
  }
  return { keys: readKeySet(jwks!), source: '--jwks' };
}

function readKeySet(place: KeySetPlace): NonNullable<JwtOptions['keys']> {
  if (place.kind === 'url') return place.url;
  const text = readText('--jwks', place.path);
  try {
    return JSON.parse(text) ?? {};
  } catch {
    throw unusable(`--jwks ${place.path}`, 'the file is not JSON');
  }
}

function readText(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unusable(`${flag} ${path}`, (error as Error).message);
  }
}

function unusable(source: string, reason: string): CommandFailure {
  return new CommandFailure(`${source} cannot be used: ${reason}.`, EXIT_USAGE);
}
