import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { answer, cleanUp, startServer } from './openai-connection-pool.fixture.ts';

const fixture = fileURLToPath(new URL('./process-exit.fixture.ts', import.meta.url));

afterEach(cleanUp);

/** Runs a process that uses a pool; gives how it ended, and how long after its last line. */
async function run(baseURL: string, mode: string) {
  const child = spawn(process.execPath, [fixture, baseURL, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const done = new Promise<number>((resolve) => {
    child.stdout.once('data', () => resolve(performance.now()));
  });
  const kill = setTimeout(() => child.kill('SIGKILL'), 15_000);
  const [code] = await once(child, 'exit');
  clearTimeout(kill);
  return { code, lingeredMs: performance.now() - (await done) };
}

describe('a process that used a pool', () => {
  it.each(['close', 'leave open'])('exits by itself: %s', async (mode) => {
    const server = await startServer();
    const { code, lingeredMs } = await run(server.baseURL, mode);
    expect(code).toBe(0);
    expect(lingeredMs).toBeLessThan(3_000);
  });

  it('exits by itself while a health check gets no answer', async () => {
    let requests = 0;
    const server = await startServer((...exchange) => {
      requests += 1;
      // The questions of the warm-up and the calls, and none of the health checks.
      if (requests <= 6) answer(...exchange);
    });
    const { code, lingeredMs } = await run(server.baseURL, 'check often');
    expect(requests).toBeGreaterThan(6);
    expect(code).toBe(0);
    expect(lingeredMs).toBeLessThan(3_000);
  });

  it('lives as long as it waits for a warm-up and a health check', async () => {
    const server = await startServer((...exchange) => setTimeout(() => answer(...exchange), 300));
    expect(await run(server.baseURL, 'ask')).toMatchObject({ code: 0 });
    expect(server.seen.length).toBe(2 + 4 + 2);
  });
});
