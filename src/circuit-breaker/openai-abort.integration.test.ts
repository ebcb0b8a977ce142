import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { Deferred } from '../internal/async/deferred.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

const settle = (promise: Promise<unknown>) => promise.then(String, (error: unknown) => error);

describe('an abort', () => {
  it('of the openai client opens nothing, with its signal among the arguments or in a closure', async () => {
    const arrived = [new Deferred<void>(), new Deferred<void>()];
    let requests = 0;
    const server = createServer(() => {
      arrived[requests]?.resolve();
      requests += 1;
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const client = new OpenAI({
      apiKey: 'k',
      baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
      maxRetries: 0,
    });
    const asked = { model: 'm', messages: [] };
    const open = new CircuitBreaker(
      'openai',
      (options: { signal: AbortSignal }) => client.chat.completions.create(asked, options),
      { failureThreshold: 1 },
    );
    const passed = new AbortController();
    const call = settle(open.fire({ signal: passed.signal }));
    await arrived[0]?.promise;
    passed.abort();
    expect(await call).toMatchObject({ name: 'Error' });
    const hidden = new AbortController();
    const closure = new CircuitBreaker(
      'closure',
      () => client.chat.completions.create(asked, { signal: hidden.signal }),
      { failureThreshold: 1 },
    );
    const other = settle(closure.fire());
    await arrived[1]?.promise;
    hidden.abort();
    await other;
    expect([open.state, closure.state]).toEqual(['CLOSED', 'CLOSED']);
    server.closeAllConnections();
    server.close();
  });
});
