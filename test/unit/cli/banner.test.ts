import { expect, test } from 'vitest';
import { banner } from '../../../src/cli/banner.ts';
import { resolveSettings } from '../../../src/cli/settings/resolve-settings.ts';

const description = { store: 'Redis at somewhere', durability: 'none', warnings: ['all is lost'] };

test('says where, what to try, and what could be lost', () => {
  const settings = resolveSettings({ flags: {}, environment: {} });
  expect(banner('1.2.3', 'http://127.0.0.1:4000', description, settings)).toBe(
    [
      'Millrace 1.2.3 listens on http://127.0.0.1:4000',
      '',
      '  try         ws://127.0.0.1:4000/ws/1   with any WebSocket client: type ping, or event:1',
      '  access      open: everybody is who they say, and may append to any log',
      '  store       Redis at somewhere',
      '  durability  none',
      '  WARNING     all is lost',
      '',
      '',
    ].join('\n'),
  );
});

test('an open gateway is warned of, and what to try can be tried', () => {
  const settings = resolveSettings({ flags: { host: '::', insecure: true }, environment: {} });
  const text = banner('1.2.3', 'http://[::]:4000', description, settings);
  expect(text).toContain('ws://[::1]:4000/ws/1');
  expect(text).toMatch(/WARNING +--insecure/);
});

test('a gateway that asks who connects says how, and no secret', () => {
  const secret = 'a secret of the tests, of 32 bytes';
  const environment = { MILLRACE_JWT_SECRET: secret };
  const flags = { auth: 'jwt', 'jwt-audience': 'app', host: '0.0.0.0', append: 'any' };
  const settings = resolveSettings({ flags, environment });
  const text = banner('1.2.3', 'http://0.0.0.0:4000', description, settings);
  expect(text).toContain('try         ws://127.0.0.1:4000/ws ');
  expect(text).toContain(
    'access      a JSON Web Token (HS256) for app; accounts may append to the',
  );
  expect(text).toMatch(/WARNING +.*clear text.*--trust-proxy/);
  expect(text).not.toContain(secret);
  const behind = resolveSettings({ flags: { ...flags, 'trust-proxy': true }, environment });
  expect(banner('1.2.3', 'http://0.0.0.0:4000', description, behind)).not.toContain('clear text');
});

test('what clients may append is said', () => {
  const access = (flags: object) => {
    const settings = resolveSettings({ flags: { ...flags }, environment: {} });
    return banner('1.2.3', 'http://127.0.0.1:4000', description, settings);
  };
  expect(access({ auth: 'session', append: 'none' })).toContain('accounts may append to no log\n');
  expect(access({ auth: 'session', 'append-types': ['account=Said', 'account=Left'] })).toContain(
    'accounts append to their own log, only account=Said, account=Left\n',
  );
  expect(access({ 'append-types': ['room=*'] })).toContain('may append to any log, only room=*\n');
  expect(access({ append: 'none' })).toContain('and may append to no log\n');
});

test('sessions are named by their cookie', () => {
  const flags = { auth: 'session', 'session-cookie': 'sid' };
  const settings = resolveSettings({ flags, environment: {} });
  const text = banner('1.2.3', 'http://127.0.0.1:4000', description, settings);
  expect(text).toContain('access      the session in the cookie sid; accounts append to their own');
});
