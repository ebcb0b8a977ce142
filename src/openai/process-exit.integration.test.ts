import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startFakeOpenAI } from '../testing/index.ts';

const fixture = fileURLToPath(new URL('./process-exit.fixture.ts', import.meta.url));

describe('a process that used a pool', () => {
  it.each(['close', 'leave open'])('exits by itself: %s', async (mode) => {
    await using fake = await startFakeOpenAI({ keepAliveTimeoutMs: 60_000 });
    const child = spawn(process.execPath, [fixture, fake.baseURL, mode], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const started = new Promise<number>((resolve) => {
      child.stdout.once('data', () => resolve(performance.now()));
    });
    const kill = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const [code] = await once(child, 'exit');
    clearTimeout(kill);
    expect(code).toBe(0);
    expect(performance.now() - (await started)).toBeLessThan(3_000);
  });
});
