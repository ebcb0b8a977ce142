import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AddressGuard } from './address-guard.ts';
import { createPinnedFetch } from './pinned-fetch.ts';

const HOST = '127.0.0.1';
const guard = new AddressGuard({ allowHosts: [HOST] });

describe('a host whose body has no length', () => {
  const sockets = new Set<Socket>();
  let server: Server;
  let answer: (socket: Socket) => void;
  const url = () => `http://${HOST}:${(server.address() as AddressInfo).port}/cat.jpg`;

  beforeAll(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
      socket.once('data', () => answer(socket));
    }).listen(0, HOST);
    await once(server, 'listening');
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  const drip = (head: string) => (socket: Socket) => {
    socket.write(`${head}\r\n\r\npart`);
    const timer = setInterval(() => socket.write('x'), 5);
    socket.on('close', () => clearInterval(timer));
  };
  const stall = (head: string) => (socket: Socket) => socket.write(`${head}\r\n\r\npart`);

  for (const [what, send] of [
    ['stalls', stall('HTTP/1.1 200 OK')],
    ['stalls in the words of HTTP/1.0', stall('HTTP/1.0 200 OK')],
    ['drips', drip('HTTP/1.1 200 OK')],
  ] as const) {
    it(`ends at the limit of time, and nothing else does, where it ${what}`, async () => {
      answer = send;
      const fetch = createPinnedFetch({ guard, fetchTimeoutMs: 50 });
      await expect(fetch(url())).rejects.toMatchObject({ code: 'DESCRIBE_TIMEOUT' });
      await expect.poll(() => sockets.size).toBe(0);
    });

    it(`ends when the caller leaves, and nothing else does, where it ${what}`, async () => {
      answer = send;
      const reason = new Error('caller left');
      const controller = new AbortController();
      const work = createPinnedFetch({ guard })(url(), { signal: controller.signal });
      setTimeout(() => controller.abort(reason), 30);
      await expect(work).rejects.toBe(reason);
      await expect.poll(() => sockets.size).toBe(0);
    });
  }

  it('ends where the answer is refused before its end', async () => {
    for (const head of [
      'HTTP/1.1 404 Not Found',
      'HTTP/1.1 200 OK\r\nContent-Encoding: br',
      'HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/',
    ]) {
      answer = drip(head);
      const error = await createPinnedFetch({ guard })(url()).catch((reason: unknown) => reason);
      expect(error, head).toMatchObject({ code: expect.stringMatching(/^DESCRIBE_IMAGE_F/) });
      await expect.poll(() => sockets.size).toBe(0);
    }
  });
});

describe('a host that drops packets', () => {
  /** Listens but accepts nothing, so the system drops new connections once its short backlog is full. */
  const DEAF = `
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: '${HOST}', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  let deaf: ChildProcess;
  let port = 0;
  const line: Socket[] = [];

  beforeAll(async () => {
    deaf = spawn(process.execPath, ['-e', DEAF], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [text] = (await once(deaf.stdout as NonNullable<ChildProcess['stdout']>, 'data')) as [Buffer];
    port = Number(text.toString());
    for (let index = 0; index < 8; index += 1) line.push(connect(port, HOST).on('error', () => {}));
    await once(line[0] as Socket, 'connect');
  });
  afterAll(() => {
    for (const socket of line) socket.destroy();
    deaf.kill('SIGKILL');
  });

  it('is given up at the limit of time', async () => {
    const fetch = createPinnedFetch({ guard, fetchTimeoutMs: 100 });
    await expect(fetch(`http://${HOST}:${port}/`)).rejects.toMatchObject({ code: 'DESCRIBE_TIMEOUT' });
  });

  it('is left when the caller leaves, and its connection closed', async () => {
    const reason = new Error('caller left');
    const controller = new AbortController();
    const work = createPinnedFetch({ guard })(`http://${HOST}:${port}/`, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 30);
    await expect(work).rejects.toBe(reason);
    const connecting = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPConnectWrap');
    for (const socket of line) socket.destroy();
    await expect.poll(connecting).toEqual([]);
  });
});
