import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRedisServer, type RedisServer, startRedisServer } from '../testing/redis-server.ts';

const PROCESSES = 4;
const CALLERS = 50;
const MODULE = fileURLToPath(new URL('./index.ts', import.meta.url));

/** A process with a cache. It writes `ready`, waits for a line, calls, and writes the results. */
const CALLER_SCRIPT = `
  const { once } = await import('node:events');
  const { RedisCache } = await import(${JSON.stringify(MODULE)});
  const [url, keyPrefix, factoryMs] = process.argv.slice(1);
  const cache = new RedisCache({ url, keyPrefix, leaseMs: 600, operationTimeoutMs: 2000 });
  await cache.has('key');
  console.log('ready');
  await once(process.stdin, 'data');
  const factory = async () => {
    console.log('factory');
    await new Promise((resolve) => setTimeout(resolve, Number(factoryMs)));
    return { made: 'by the factory' };
  };
  const ask = () => cache.getOrSetWithSource('key', factory, { tags: ['tag'] });
  const hits = await Promise.all(Array.from({ length: ${CALLERS} }, ask));
  console.log('values ' + hits.filter(({ value }) => value.made === 'by the factory').length);
  process.stdin.unref();
`;

class Caller {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly exited: Promise<unknown>;

  constructor(...args: string[]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', CALLER_SCRIPT, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line));
    this.child = child;
    this.exited = once(child, 'exit');
  }

  said(line: string): boolean {
    return this.lines.includes(line);
  }
}

describe.runIf(findRedisServer())('single flight across processes', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.stop());

  async function startCallers(keyPrefix: string, factoryMs: number): Promise<Caller[]> {
    const callers = Array.from({ length: PROCESSES }, () => new Caller(server.url, keyPrefix, String(factoryMs)));
    await expect.poll(() => callers.every((caller) => caller.said('ready'))).toBe(true);
    for (const { child } of callers) child.stdin?.write('go\n');
    return callers;
  }
  const factoryCalls = (callers: readonly Caller[]) =>
    callers.flatMap(({ lines }) => lines).filter((line) => line === 'factory').length;

  it('calls the factory once for 4 processes with 50 callers each, which then end by themselves', async () => {
    const callers = await startCallers('once:', 300);
    expect(await Promise.all(callers.map(({ exited }) => exited))).toEqual(callers.map(() => [0, null]));
    expect(factoryCalls(callers)).toBe(1);
    expect(callers.map((caller) => caller.said(`values ${CALLERS}`))).toEqual(callers.map(() => true));
  });

  it('calls it at most twice when the owner is killed, and every caller that lives gets the value', async () => {
    const callers = await startCallers('killed:', 1_000);
    await expect.poll(() => factoryCalls(callers)).toBe(1);
    const owner = callers.find((caller) => caller.said('factory'));
    owner?.child.kill('SIGKILL');
    await Promise.all(callers.map(({ exited }) => exited));
    expect(factoryCalls(callers)).toBe(2);
    const living = callers.filter((caller) => caller !== owner);
    expect(living.map((caller) => caller.said(`values ${CALLERS}`))).toEqual([true, true, true]);
  });
});
