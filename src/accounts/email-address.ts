/**
 * Email addresses: which we take, and when two are the same.
 *
 * Two addresses are the same when they differ only in case, in Unicode form (NFKC, so that a
 * full-width letter is the letter), or in how the domain is written (`müller.example` and
 * `xn--mller-kva.example`). That is stricter than mail servers, which may tell `Han@` from `han@`:
 * nobody should get an address that looks like somebody else's.
 *
 * Quoted local parts, comments and address literals are not taken, though RFC 5321 knows them.
 */
import { InvalidInput } from '../event/error.ts';

const MAX_BYTES = 254; // RFC 5321 section 4.5.3.1.3, without the angle brackets
const MAX_LOCAL_BYTES = 64; // section 4.5.3.1.1
const MAX_LABEL = 63;

const UNSEEN =
  /[\p{Control}\p{Format}\p{Surrogate}\p{Unassigned}\p{Default_Ignorable_Code_Point}]/u;
const NOT_IN_LOCAL = /[\s"(),:;<>[\\\]@]/u;
const NOT_IN_DOMAIN = /[\s/?#@%:[\]\\]/u;
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

const encoder = new TextEncoder();

/**
 * The form in which addresses are compared.
 * @throws InvalidInput (`invalid_email`) with the field and the rule
 */
export function canonicalEmail(given: string, field = 'email'): string {
  if (typeof given !== 'string' || given === '') {
    throw invalid(field, 'must be an email address like han@example.org');
  }
  // Before anything that takes time: the length bounds it.
  if (given.length > MAX_BYTES || byteLength(given) > MAX_BYTES) {
    throw invalid(field, `must be at most ${MAX_BYTES} bytes`);
  }
  if (UNSEEN.test(given)) throw invalid(field, 'must not hold control or invisible characters');
  if (given.split('@').length !== 2) throw invalid(field, 'must have one @');

  const at = given.indexOf('@');
  const local = canonicalLocal(given.slice(0, at), field);
  const domain = canonicalDomain(given.slice(at + 1), field);
  const address = `${local}@${domain}`;
  if (byteLength(address) > MAX_BYTES) {
    throw invalid(field, `must be at most ${MAX_BYTES} bytes, with the domain in ASCII`);
  }
  return address;
}

function canonicalLocal(given: string, field: string): string {
  const local = fold(given);
  if (local === '') throw invalid(field, 'must have a name before the @');
  if (byteLength(local) > MAX_LOCAL_BYTES) {
    throw invalid(field, `must have at most ${MAX_LOCAL_BYTES} bytes before the @`);
  }
  // Looked at as given and folded, in parts: a full-width colon is a colon, and a struck-out < (≮)
  // is a < with a stroke, which may as well come as two characters.
  const parts = `${given}${local}`.normalize('NFKD');
  if (NOT_IN_LOCAL.test(parts) || UNSEEN.test(local)) {
    throw invalid(field, 'must not have spaces or any of " ( ) , : ; < > [ \\ ] before the @');
  }
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) {
    throw invalid(field, 'must not have a dot at the start or end of the name, or two in a row');
  }
  return local;
}

function canonicalDomain(given: string, field: string): string {
  const domain = toAscii(fold(given));
  const labels = domain?.split('.') ?? [];
  const last = labels[labels.length - 1] ?? '';
  const fine = labels.every((label) => label.length <= MAX_LABEL && LABEL.test(label));
  if (!fine || labels.length < 2 || /^\d+$/.test(last)) {
    throw invalid(field, 'must have a domain like example.org after the @');
  }
  return domain!;
}

/** The domain as DNS has it (UTS 46, as the URL standard applies it). */
function toAscii(domain: string): string | undefined {
  if (domain === '' || NOT_IN_DOMAIN.test(domain)) return undefined;
  const url = `http://${domain}/`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** Upper case first: it is what brings ß and ss, ς and σ together. Twice, as one step can open the way for another. */
function fold(text: string): string {
  return foldOnce(foldOnce(text));
}

function foldOnce(text: string): string {
  return text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

function invalid(field: string, rule: string): InvalidInput {
  return new InvalidInput(field, rule, 'invalid_email');
}
