import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors/config-error.ts';
import { findRedisServer, startRedisServer } from './redis-server.ts';

async function answerTo(port: number, command: string, waitMs = 2_000): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, timeout: waitMs });
  try {
    socket.write(`${command}\r\n`);
    const data = once(socket, 'data').then(([chunk]) => String(chunk));
    const silence = once(socket, 'timeout').then(() => 'silence');
    return await Promise.race([data, silence]).catch(() => 'refused');
  } finally {
    socket.destroy();
  }
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe.runIf(findRedisServer())('startRedisServer', () => {
  it('answers, hangs while paused, answers again when resumed', async () => {
    await using redis = await startRedisServer();
    expect(await answerTo(redis.port, 'PING')).toBe('+PONG\r\n');
    redis.pause();
    expect(await answerTo(redis.port, 'PING', 200)).toBe('silence');
    redis.resume();
    expect(await answerTo(redis.port, 'PING')).toBe('+PONG\r\n');
  });

  it('comes back empty on the same port after a kill', async () => {
    await using redis = await startRedisServer({ args: ['--maxmemory', '4mb'] });
    await answerTo(redis.port, 'SET key value');
    await redis.kill();
    expect(redis.pid).toBeUndefined();
    expect(await answerTo(redis.port, 'PING')).toBe('refused');
    await redis.restart();
    expect(await answerTo(redis.port, 'GET key')).toBe('$-1\r\n');
    expect(await answerTo(redis.port, 'CONFIG GET maxmemory')).toContain('4194304');
  });

  it('ends a paused server and removes its folder, twice without harm', async () => {
    const redis = await startRedisServer();
    const pid = redis.pid ?? 0;
    redis.pause();
    await redis.stop();
    await redis.stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(redis.folder)).toBe(false);
  });

  it('dies with a parent that is killed', async () => {
    const module = fileURLToPath(new URL('./redis-server.ts', import.meta.url));
    const script = `const { startRedisServer } = await import(${JSON.stringify(module)});
      const redis = await startRedisServer(); console.log(redis.pid); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk] = await once(parent.stdout, 'data');
    const pid = Number(String(chunk));
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('does not keep its process alive when it is forgotten', async () => {
    const module = fileURLToPath(new URL('./redis-server.ts', import.meta.url));
    const script = `const { startRedisServer } = await import(${JSON.stringify(module)});
      const redis = await startRedisServer(); console.log(redis.pid);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [[chunk], [code]] = await Promise.all([once(parent.stdout, 'data'), once(parent, 'exit')]);
    expect(code).toBe(0);
    await expect.poll(() => isAlive(Number(String(chunk)))).toBe(false);
  });
});

describe('findRedisServer', () => {
  it('prefers REDIS_SERVER and does not fall back from a wrong one', () => {
    expect(findRedisServer({ REDIS_SERVER: process.execPath, PATH: '' })).toBe(process.execPath);
    expect(findRedisServer({ REDIS_SERVER: '/nowhere/redis-server', PATH: process.env['PATH'] })).toBeUndefined();
  });

  it('rejects with what to do when there is none', async () => {
    const before = process.env['REDIS_SERVER'];
    process.env['REDIS_SERVER'] = '/nowhere/redis-server';
    try {
      await expect(startRedisServer()).rejects.toThrow(ConfigError);
      await expect(startRedisServer()).rejects.toThrow('REDIS_SERVER: expected an executable redis-server');
    } finally {
      if (before === undefined) delete process.env['REDIS_SERVER'];
      else process.env['REDIS_SERVER'] = before;
    }
  });
});
