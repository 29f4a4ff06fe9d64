import { expect, test } from 'vitest';
import { banner } from '../../../src/cli/banner.ts';
import { resolveSettings } from '../../../src/cli/settings.ts';

const description = { store: 'Redis at somewhere', durability: 'none', warnings: ['all is lost'] };

test('says where, what to try, and what could be lost', () => {
  const settings = resolveSettings({ flags: {}, environment: {} });
  expect(banner('1.2.3', 'http://127.0.0.1:4000', description, settings)).toBe(
    [
      'Millrace 1.2.3 listens on http://127.0.0.1:4000',
      '',
      '  try         ws://127.0.0.1:4000/ws/1   with any WebSocket client: type ping, or event:1',
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
