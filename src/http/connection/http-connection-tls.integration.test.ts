import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TEST_CERTIFICATE } from '../certificate.fixture.ts';
import { cleanUp, listen, open } from './http-connection.fixture.ts';

afterEach(cleanUp);

describe('a proxy', () => {
  async function startProxy() {
    const tunnels: string[] = [];
    const forwarded: string[] = [];
    const authorizations: (string | undefined)[] = [];
    const server = createHttpServer((request, response) => {
      forwarded.push(request.url ?? '');
      authorizations.push(request.headers['proxy-authorization']);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"from":"proxy"}');
    });
    server.on('connect', (request, socket: Socket) => {
      tunnels.push(request.url ?? '');
      authorizations.push(request.headers['proxy-authorization']);
      const [host = '', port] = (request.url ?? '').split(':');
      const target = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        target.pipe(socket);
        socket.pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    const port = await listen(server);
    return { url: `http://user:pass@127.0.0.1:${port}`, tunnels, forwarded, authorizations };
  }

  it('carries TLS through a tunnel, on one connection, with its credentials', async () => {
    const { cert, key } = TEST_CERTIFICATE;
    const port = await listen(
      createHttpsServer({ cert, key }, (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"from":"target"}');
      }),
    );
    const proxy = await startProxy();
    const { fetch } = await open(`https://127.0.0.1:${port}`, { proxy: proxy.url, tls: { ca: cert } });
    for (let call = 0; call < 3; call += 1) {
      const response = await fetch(`https://127.0.0.1:${port}/v1`);
      expect(await response.json()).toEqual({ from: 'target' });
    }
    expect(proxy.tunnels).toEqual([`127.0.0.1:${port}`]);
    expect(proxy.authorizations).toEqual([`Basic ${Buffer.from('user:pass').toString('base64')}`]);
  });

  it('forwards plain HTTP', async () => {
    const proxy = await startProxy();
    const { fetch } = await open('http://api.example', { proxy: proxy.url });
    const response = await fetch('http://api.example/v1/models');
    expect(await response.json()).toEqual({ from: 'proxy' });
    expect(proxy.forwarded).toEqual(['http://api.example/v1/models']);
  });
});

describe('TLS', () => {
  it('trusts a custom authority, and no unknown one', async () => {
    const { cert, key } = TEST_CERTIFICATE;
    const port = await listen(createHttpsServer({ cert, key }, (_request, response) => response.end('ok')));
    const origin = `https://127.0.0.1:${port}`;
    const trusting = await open(origin, { tls: { ca: [cert] } });
    expect(await (await trusting.fetch(`${origin}/`)).text()).toBe('ok');
    const wary = await open(origin);
    await expect(wary.fetch(`${origin}/`)).rejects.toMatchObject({
      code: expect.stringMatching(/SELF_SIGNED|UNABLE/),
    });
    expect(wary.connection.failed).toBe(true);
  });

  it('shows its client certificate', async () => {
    const { cert, key } = TEST_CERTIFICATE;
    const port = await listen(
      createHttpsServer({ cert, key, requestCert: true, ca: cert }, (request, response) => {
        response.end((request.socket as never as { authorized: boolean }).authorized ? 'known' : 'stranger');
      }),
    );
    const origin = `https://127.0.0.1:${port}`;
    const { fetch } = await open(origin, { tls: { ca: cert, cert, key } });
    expect(await (await fetch(`${origin}/`)).text()).toBe('known');
  });
});
