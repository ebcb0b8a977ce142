import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { type FakeOpenAIProcess, startFakeOpenAIProcess } from './fake-openai-process.ts';
import { chatBody } from './test-clients.ts';

let server: FakeOpenAIProcess | undefined;
afterEach(async () => {
  await server?.close();
});

const ask = ({ baseURL, apiKey }: FakeOpenAIProcess) =>
  fetch(`${baseURL}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify(chatBody()),
  });

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('startFakeOpenAIProcess', () => {
  it('answers from another process and tells what it saw', async () => {
    server = await startFakeOpenAIProcess({ apiKeys: ['sk-other'] });
    expect(server.pid).not.toBe(process.pid);
    expect(server.apiKey).toBe('sk-other');
    expect((await ask(server)).status).toBe(200);
    expect(await server.getStats()).toMatchObject({ requests: 1, requestsBilled: 1 });
    expect(await server.seen()).toMatchObject([{ number: 1, model: 'gpt-4.1-mini' }]);
  });

  it('takes faults, resets and outages', async () => {
    server = await startFakeOpenAIProcess();
    await server.setFaults([{ fault: { kind: 'error', status: 503 } }]);
    expect((await ask(server)).status).toBe(503);
    await server.reset();
    expect((await server.getStats()).requests).toBe(0);
    await server.stop();
    await expect(ask(server)).rejects.toThrow('fetch failed');
    await server.start();
    expect((await ask(server)).status).toBe(503);
  });

  it('rejects wrong options and plans here, before anything is sent', async () => {
    await expect(startFakeOpenAIProcess({ port: -1 })).rejects.toMatchObject({
      code: 'DESCRIBE_CONFIG_INVALID',
    });
    server = await startFakeOpenAIProcess();
    await expect(server.setFaults([{ fault: { kind: 'finish' } as never }])).rejects.toMatchObject({
      code: 'DESCRIBE_CONFIG_INVALID',
    });
  });

  it('ends with close, after which every method rejects', async () => {
    const closed = await startFakeOpenAIProcess();
    const pid = closed.pid ?? 0;
    await closed.close();
    await closed.close();
    expect(isAlive(pid)).toBe(false);
    await expect(closed.getStats()).rejects.toMatchObject({ code: 'DESCRIBE_CLOSED' });
  });

  it('ends with its parent, killed or not, and keeps no parent alive', async () => {
    for (const end of ['', 'process.kill(process.pid, "SIGKILL");']) {
      const module = new URL('./fake-openai-process.ts', import.meta.url).href;
      const code = `import { startFakeOpenAIProcess } from ${JSON.stringify(module)};
        const { pid } = await startFakeOpenAIProcess();
        await new Promise((sent) => process.stdout.write(String(pid), sent));
        ${end}`;
      const parent = spawn(process.execPath, ['--input-type=module-typescript', '--eval', code]);
      let pid = '';
      parent.stdout.on('data', (chunk: Buffer) => {
        pid += chunk.toString();
      });
      await once(parent, 'exit');
      expect(Number(pid)).toBeGreaterThan(0);
      await expect.poll(() => isAlive(Number(pid))).toBe(false);
    }
  });
});
