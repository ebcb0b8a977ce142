import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeOpenAI, type RedisServer, startFakeOpenAI, startRedisServer } from '../testing/index.ts';

const fixture = fileURLToPath(new URL('./process-exit.fixture.ts', import.meta.url));

let server: FakeOpenAI;
let redis: RedisServer;
beforeAll(async () => {
  server = await startFakeOpenAI({ record: false });
  redis = await startRedisServer();
});
afterAll(async () => {
  await server.close();
  await redis.stop();
});

const runFixture = async (mode: string) => {
  const child = spawn(process.execPath, [fixture, mode, server.baseURL, server.apiKey, redis.url], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += String(text)));
  const timer = setTimeout(() => child.kill('SIGKILL'), 45_000);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  return { code, signal, output };
};

describe('a process that used the client', () => {
  it('has no open handle after close() and ends by itself', async () => {
    await expect(runFixture('close')).resolves.toEqual({ code: 0, signal: null, output: 'described 50\n' });
  });

  it('ends by itself even when the client is never closed', async () => {
    await expect(runFixture('leave')).resolves.toEqual({ code: 0, signal: null, output: 'described 50\n' });
  });

  it('ends by itself after faults, with no unhandled rejection', async () => {
    server.setFaults({
      seed: 3,
      rules: [
        { when: { probability: 0.1 }, fault: { kind: 'hang' } },
        { when: { probability: 0.1 }, fault: { kind: 'reset', at: 'mid-body' } },
        { when: { probability: 0.2 }, fault: { kind: 'error', status: 500 } },
      ],
    });
    const { code, signal, output } = await runFixture('close');
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    expect(output).toMatch(/^described \d+\n$/);
  });
});
