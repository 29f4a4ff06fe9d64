/** "On the internet", as the README has it: a secret, a token, a ticket, and TLS by nginx or Caddy. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { Command, temporaryFolder } from './command.ts';
import { readmeBlocks } from './readme.ts';

const SECTION = 'On the internet';
const blocks = readmeBlocks().filter(({ section }) => section === SECTION);

function block(language: string, mode = ''): string {
  const found = blocks.filter((some) => some.language === language && some.mode === mode);
  expect(found, `${language} ${mode}`).toHaveLength(1);
  return found[0]!.text;
}

function has(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args).status === 0;
}

const folder = temporaryFolder();
const secretFile = join(folder.path, 'jwt.secret');
let gateway: GatewayProcess;
let token: string;

beforeAll(async () => {
  const secret = block('sh', 'secret').replace('jwt.secret', secretFile);
  execFileSync('bash', ['-ec', secret]);
  const flags = block('sh', 'server').replace('./jwt.secret', secretFile).split(' -- ')[1]!;
  const store = join(folder.path, 'store');
  gateway = await GatewayProcess.start({ store, flags: flags.split(' ') });
  const program = block('js', 'token').replace('./jwt.secret', secretFile);
  await using node = new Command(process.execPath, ['--input-type=module', '--eval', program]);
  expect(await node.ended(), node.stderr).toBe(0);
  token = node.stdout.trim();
}, 60_000);

afterAll(async () => {
  await gateway?.terminate();
  folder[Symbol.dispose]();
});

/** What programs and pages do, with the proxy or the gateway itself at `origin`. */
async function use(origin: string): Promise<void> {
  const here = (text: string) =>
    text
      .replaceAll('wss://live.example.com', origin.replace('http', 'ws'))
      .replaceAll('https://live.example.com', origin);
  const env = { TOKEN: token, NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' };
  const curl = here(block('sh', 'token')).replace(
    'curl ',
    'curl --silent --show-error --insecure ',
  );
  await using shell = new Command('bash', ['-ec', curl], { env });
  expect(await shell.ended(), shell.stderr).toBe(0);
  expect(JSON.parse(shell.stdout)).toMatchObject({ log: 'account:42' });

  const page = `import { WebSocket } from 'ws';\nconst token = process.env.TOKEN;\n`;
  const program = `${page}${here(block('js', 'browser'))}`;
  await using node = new Command(process.execPath, ['--input-type=module', '--eval', program], {
    env,
  });
  await node.printed(/"op":"live","log":"account:42"/);
}

test('straight at the gateway', async () => {
  await use(`http://127.0.0.1:${gateway.port}`);
});

describe('through nginx', () => {
  // Capability: nginx with its TLS module, and openssl to make a certificate with.
  const able = has('nginx', '-v') && has('openssl', 'version');

  const note = able ? '' : ' (needs nginx and openssl)';

  test.skipIf(!able)(`with TLS, and the origin that it tells${note}`, async () => {
    const port = await freePort();
    const [pem, key] = ['pem', 'key'].map((end) => join(folder.path, `tls.${end}`)) as [
      string,
      string,
    ];
    const certificate = '-x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=live.example.com';
    execFileSync('openssl', ['req', ...certificate.split(' '), '-keyout', key, '-out', pem], {
      stdio: 'pipe',
    });
    const site = block('nginx')
      .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
      .replace('/etc/ssl/live.example.com.pem', pem)
      .replace('/etc/ssl/live.example.com.key', key)
      .replace('127.0.0.1:4000', `127.0.0.1:${gateway.port}`);
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${join(folder.path, name)};`,
    );
    const config = join(folder.path, 'nginx.conf');
    const log = join(folder.path, 'access.log');
    writeFileSync(
      config,
      `daemon off; pid ${join(folder.path, 'nginx.pid')}; error_log stderr;
events {}
http { access_log ${log}; ${paths.join(' ')}\n${site}\n}\n`,
    );
    const args = ['-p', folder.path, '-c', config];
    const checked = spawnSync('nginx', ['-t', ...args], { encoding: 'utf8' });
    expect(checked.status, checked.stderr).toBe(0);
    await using nginx = new Command('nginx', args);
    await eventually(() => {
      expect(has('curl', '-sfk', `https://127.0.0.1:${port}/`), nginx.stderr).toBe(true);
    });
    await use(`https://127.0.0.1:${port}`);
    await sameOrigin(`https://127.0.0.1:${port}`);
    // What a log gets to see of a socket is a ticket that is used up.
    const lines = readFileSync(log, 'utf8');
    expect(lines).toMatch(/\/ws\?ticket=/);
    expect(lines).not.toContain(token);
    nginx.child.kill('SIGQUIT');
    await nginx.ended();
  });
});

describe('through Caddy', () => {
  // Capability: caddy.
  const able = has('caddy', 'version');

  const note = able ? '' : ' (needs caddy)';

  test.skipIf(!able)(`with its own certificate, and the origin that it tells${note}`, async () => {
    const [port, admin] = [await freePort(), await freePort()];
    const file = join(folder.path, 'Caddyfile');
    const site = block('caddy')
      .replace('live.example.com {', `https://127.0.0.1:${port} {\n\ttls internal`)
      .replace('127.0.0.1:4000', `127.0.0.1:${gateway.port}`);
    const options = `admin 127.0.0.1:${admin}\n\tskip_install_trust\n\tauto_https disable_redirects`;
    writeFileSync(file, `{\n\t${options}\n}\n${site}\n`);
    const env = { XDG_DATA_HOME: folder.path, XDG_CONFIG_HOME: folder.path };
    await using caddy = new Command('caddy', ['run', '--config', file], { env });
    await eventually(
      () => expect(has('curl', '-sfk', `https://127.0.0.1:${port}/`), caddy.stderr).toBe(true),
      { timeout: 20_000 },
    );
    await use(`https://127.0.0.1:${port}`);
    await sameOrigin(`https://127.0.0.1:${port}`);
    caddy.child.kill('SIGTERM');
    await caddy.ended();
  });
});

/** A page of the proxy's own origin may post; one of another may not. */
async function sameOrigin(origin: string): Promise<void> {
  const post = (from: string) => {
    const headers = ['-H', `Origin: ${from}`, '-H', `Authorization: Bearer ${token}`];
    const status = ['-sk', '-o', '/dev/null', '-w', '%{http_code}', '-X', 'POST'];
    return execFileSync('curl', [...status, ...headers, `${origin}/tickets`], { encoding: 'utf8' });
  };
  expect(post(origin)).toBe('201');
  expect(post('https://stranger.example')).toBe('403');
}
