import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, cleanUp, startServer } from './pool/openai-connection-pool.fixture.ts';

const fixture = fileURLToPath(new URL('./process-exit.fixture.ts', import.meta.url));

afterEach(cleanUp);

/** Runs a process that uses a pool. Returns how it ended, and what kept it alive when it had nothing more to do. */
async function run(baseURL: string, mode: string) {
  const child = spawn(process.execPath, [fixture, baseURL, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  let keptBy = '';
  child.stdout.on('data', (text) => (keptBy += String(text)));
  const kill = setTimeout(() => child.kill('SIGKILL'), 45_000);
  const [code] = await once(child, 'close');
  clearTimeout(kill);
  return { code, keptBy };
}

describe('a process that used a pool', () => {
  it.each(['close', 'leave open'])('exits by itself: %s', async (mode) => {
    const server = await startServer();
    expect(await run(server.baseURL, mode)).toEqual({ code: 0, keptBy: 'nothing' });
  });

  it('exits by itself while a health check gets no answer', async () => {
    let requests = 0;
    const server = await startServer((...exchange) => {
      requests += 1;
      // Answers the requests of the warm-up and the calls, and none of the health checks.
      if (requests <= 6) answer(...exchange);
    });
    expect(await run(server.baseURL, 'check often')).toEqual({ code: 0, keptBy: 'nothing' });
    await expect.poll(() => requests).toBeGreaterThan(6);
  });

  it('lives as long as it waits for a warm-up and a health check', async () => {
    const server = await startServer((...exchange) => setTimeout(() => answer(...exchange), 300));
    expect(await run(server.baseURL, 'ask')).toMatchObject({ code: 0 });
    expect(server.seen.length).toBe(2 + 4 + 2);
  });
});
