import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFreePort, findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';
import { RedisCache } from './redis-cache.ts';

const binary = findRedisServer();

/**
 * Not every redis-server is built with TLS, and openssl may be missing. A wrong option makes the server exit with an
 * error.
 */
function canServeTls(): boolean {
  if (binary === undefined || spawnSync('openssl', ['version']).status !== 0) return false;
  const { stdout, stderr } = spawnSync(binary, ['--tls-port', '0', '--no-such-option', '1'], {
    encoding: 'utf8',
  });
  const said = `${stdout}${stderr}`;
  return said.includes('no-such-option') && !said.includes('tls-port');
}

describe.runIf(canServeTls())('RedisCache over TLS', () => {
  let folder: string;
  let ca: string;
  let server: RedisServer;
  const operationTimeoutMs = 1_000;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'describe-it-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const files = ['-keyout', key, '-out', cert, '-days', '1'];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', ['req', ...kind, ...files, ...subject], { stdio: 'ignore' });
    ca = readFileSync(cert, 'utf8');
    const port = await findFreePort();
    const tls = ['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'];
    const certificate = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
    server = await startRedisServer({ port, args: [...tls, ...certificate] });
  });
  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('stores, reads and hears of removals, by URL and by host', async () => {
    const { host, port } = server;
    const tls = { ca };
    await using one = new RedisCache({ url: `rediss://${host}:${port}`, tls, operationTimeoutMs });
    await using two = new RedisCache({ host, port, tls, operationTimeoutMs, tagTrustMs: 60_000 });
    await one.set('key', { n: 1 }, 60, ['tag']);
    expect(await two.getWithSource('key')).toEqual({ value: { n: 1 }, source: 'redis' });
    await expect.poll(() => two.health().redis?.subscribed).toBe(true);
    await two.get('key');
    await one.invalidateByTags(['tag']);
    await expect.poll(() => two.get('key')).toBeUndefined();
    expect([one.health().status, two.health().status]).toEqual(['healthy', 'healthy']);
  });

  it('asks Sentinels over TLS, and the master they name', async () => {
    const port = await findFreePort();
    const files = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await using sentinel = await startRedisServer({
      port,
      args: ['--sentinel', '--port', '0', '--tls-port', String(port)],
      config: [
        `sentinel monitor mymaster ${server.host} ${server.port} 1`,
        'tls-replication yes',
        'tls-auth-clients no',
        `tls-cert-file ${files[0]}`,
        `tls-key-file ${files[1]}`,
        `tls-ca-cert-file ${files[0]}`,
      ],
    });
    const sentinels = [{ host: sentinel.host, port: sentinel.port }];
    await using cache = new RedisCache({ sentinels, tls: { ca }, operationTimeoutMs });
    await cache.set('key', 1);
    await expect.poll(() => cache.health().redis?.subscribed).toBe(true);
    await cache.set('key', 2);
    expect(await cache.get('key')).toBe(2);
  });

  it('reaches a Cluster whose certificates name hosts, and says why not by an address', async () => {
    const [key, cert] = [join(folder, 'host-key.pem'), join(folder, 'host-cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-keyout', key, '-out', cert, '-days', '1'];
    execFileSync('openssl', ['req', ...kind, ...files, ...subject], { stdio: 'ignore' });
    const tls = { ca: readFileSync(cert, 'utf8') };
    const [port, busPort] = await Promise.all([findFreePort(), findFreePort()]);
    await using node = await startRedisServer({
      port,
      args: [
        ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
        ...['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert],
        ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--tls-cluster', 'yes'],
        ...['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'],
      ],
    });
    const admin = new Redis({ host: 'localhost', port: node.port, tls });
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    await expect.poll(async () => String(await admin.call('CLUSTER', 'INFO'))).toContain('cluster_state:ok');
    admin.disconnect();
    await using cache = new RedisCache({ cluster: [{ host: 'localhost', port }], tls, operationTimeoutMs });
    await expect
      .poll(async () => {
        await cache.set('key', 1);
        return cache.health().redis?.state;
      })
      .toBe('ready');
    await cache.set('key', 2);
    await using other = new RedisCache({ cluster: [{ host: 'localhost', port }], tls, operationTimeoutMs });
    await expect.poll(() => other.get('key')).toBe(2);
    await expect.poll(() => cache.health().redis?.subscribed).toBe(true);
    await using byAddress = new RedisCache({ cluster: [{ host: '127.0.0.1', port }], tls });
    await byAddress.get('key');
    await expect.poll(() => byAddress.health().reason).toBe('Redis was never reached (ERR_TLS_CERT_ALTNAME_INVALID)');
  });

  it.each([
    ['does not trust', true, /SELF_SIGNED/],
    ['is not asked for', undefined, /./],
  ])('misses and says why where a certificate that it %s stands in the way', async (_, tls, kind) => {
    const { host, port } = server;
    await using cache = new RedisCache({ host, port, tls });
    await cache.set('key', 'memory');
    expect(await cache.getOrSet('other', () => 'made')).toBe('made');
    await expect.poll(() => cache.health().redis?.lastError ?? '').toMatch(kind);
    expect(cache.health().status).not.toBe('healthy');
  });

  it('ends no process when it is closed while a certificate is being refused', async () => {
    const script = `
      const { RedisCache } = await import(${JSON.stringify(fileURLToPath(new URL('./index.ts', import.meta.url)))});
      const cache = new RedisCache({ host: '127.0.0.1', port: ${server.port}, tls: true });
      const reading = cache.get('key');
      await new Promise((resolve) => setTimeout(resolve, 1));
      await cache.close();
      console.log(await reading);`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
    expect([status, String(stderr)]).toEqual([0, '']);
  });
});
