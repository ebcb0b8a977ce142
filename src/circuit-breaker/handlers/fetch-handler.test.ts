import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreakerRegistry } from '../registry.ts';
import { withCircuitBreaker } from './with-circuit-breaker.ts';

let registry: CircuitBreakerRegistry;

beforeEach(() => {
  registry = new CircuitBreakerRegistry();
});

afterEach(() => {
  for (const name of registry.getAll().keys()) registry.remove(name);
});

const opts = () => ({ registry, failureThreshold: 2, resetTimeoutMs: 30_000 });
const totals = () => registry.get('orders')?.getStats().totals;

describe("withCircuitBreaker, handler: 'fetch'", () => {
  const get = (handler: (request: Request) => Promise<Response> | Response) =>
    withCircuitBreaker('orders', handler, { handler: 'fetch', ...opts() });
  const ask = (init?: RequestInit) => new Request('http://orders.example/', init);

  it('passes responses through, counts 5xx as failures, and answers 503 with Retry-After when open', async () => {
    const handler = vi.fn(async (_request: Request) => new Response('down', { status: 500 }));
    const GET = get(handler);
    expect((await GET(ask())).status).toBe(500);
    expect((await GET(ask())).status).toBe(500);
    const response = await GET(ask());
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '30']);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it('rejects as the handler does, and is neutral about the open rejection of another breaker', async () => {
    const inner = withCircuitBreaker('inner', async () => 'never', { registry });
    inner.breaker.isolate();
    const GET = get(async () => new Response(await inner()));
    await expect(GET(ask())).rejects.toMatchObject({ breaker: 'inner' });
    expect(totals()).toMatchObject({ failed: 0, ignored: 1, rejected: 0 });
  });

  it('is neutral about a request that its client aborted', async () => {
    const controller = new AbortController();
    const GET = get(
      (request) =>
        new Promise((_resolve, reject) => {
          request.signal.addEventListener('abort', () => reject(request.signal.reason));
        }),
    );
    const answer = GET(ask({ signal: controller.signal }));
    controller.abort(new Error('left'));
    await expect(answer).rejects.toThrow('left');
    expect(totals()).toMatchObject({ ignored: 1, failed: 0 });
  });

  it('stays away as long as the response asked for', async () => {
    const GET = get(() => new Response('', { status: 503, headers: { 'retry-after': '120' } }));
    await GET(ask());
    await GET(ask());
    expect((await GET(ask())).headers.get('retry-after')).toBe('120');
  });

  it('keeps its rules where the name was first used by a plain callable', async () => {
    withCircuitBreaker('orders', () => 'plain', { ...opts(), isFailure: () => false });
    const GET = get(() => new Response('down', { status: 503, headers: { 'retry-after': '120' } }));
    expect((await GET(ask())).status).toBe(503);
    expect(await (await GET(ask())).text()).toBe('down');
    expect((await GET(ask())).headers.get('retry-after')).toBe('120');
    expect(totals()).toMatchObject({ failed: 2, rejected: 1 });
  });

  it('is neutral about a 4xx, which closes nothing, and about a 500 to a client that left', async () => {
    let status = 429;
    const GET = get(() => new Response('', { status }));
    expect((await GET(ask())).status).toBe(429);
    status = 500;
    const controller = new AbortController();
    controller.abort();
    expect((await GET(ask({ signal: controller.signal }))).status).toBe(500);
    expect(totals()).toMatchObject({ ignored: 2, succeeded: 0, failed: 0 });
  });

  it('gives failed responses to the caller, and not to the fallback', async () => {
    const GET = withCircuitBreaker('orders', (_request: Request) => new Response('', { status: 500 }), {
      handler: 'fetch',
      ...opts(),
      fallback: () => new Response('cached'),
    });
    expect((await GET(ask())).status).toBe(500);
    expect((await GET(ask())).status).toBe(500);
    expect(await (await GET(ask())).text()).toBe('cached');
  });

  it('asks the isFailureResult of the user where there is one', async () => {
    const GET = withCircuitBreaker('orders', (_request: Request) => new Response('', { status: 500 }), {
      handler: 'fetch',
      ...opts(),
      isFailureResult: () => false,
    });
    await GET(ask());
    expect(totals()).toMatchObject({ succeeded: 1 });
  });
});
