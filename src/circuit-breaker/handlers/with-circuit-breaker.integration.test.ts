import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request as ExpressRequest, type Response as ExpressResponse, type NextFunction } from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreakerRegistry } from '../registry.ts';
import { withCircuitBreaker } from './with-circuit-breaker.ts';

let registry: CircuitBreakerRegistry;
let errors: Error[];
const servers: Server[] = [];

beforeEach(() => {
  registry = new CircuitBreakerRegistry();
  errors = [];
});

afterEach(async () => {
  for (const name of registry.getAll().keys()) registry.remove(name);
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  }
});

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const opts = () => ({ registry, failureThreshold: 2, resetTimeoutMs: 30_000 });
const totals = () => registry.get('orders')?.getStats().totals;
const statuses = async (url: string, count: number) => {
  const seen: number[] = [];
  for (let index = 0; index < count; index += 1) seen.push((await fetch(url)).status);
  return seen;
};

describe("withCircuitBreaker, handler: 'node', in Express", () => {
  async function serve(handler: (req: ExpressRequest, res: ExpressResponse, next: NextFunction) => unknown) {
    const app = express();
    app.get('/', withCircuitBreaker('orders', handler, { handler: 'node', ...opts() }));
    app.get('/', (_req, res) => void res.send('the next handler'));
    app.use((error: Error, _req: ExpressRequest, res: ExpressResponse, _next: NextFunction) => {
      errors.push(error);
      res.status(500).send(error.message);
    });
    return listen(app);
  }

  it('passes answers through and counts them', async () => {
    const url = await serve((_req, res) => void res.send('an order'));
    expect(await statuses(url, 3)).toEqual([200, 200, 200]);
    expect(totals()).toMatchObject({ succeeded: 3, failed: 0 });
  });

  it.each([404, 429])('is neutral about an answer of %i', async (status) => {
    const url = await serve((_req, res) => void res.status(status).send('no'));
    expect(await statuses(url, 3)).toEqual([status, status, status]);
    expect(totals()).toMatchObject({ ignored: 3, succeeded: 0, failed: 0 });
  });

  it('answers 503 with Retry-After once answers of 500 or more have opened it', async () => {
    const handler = vi.fn((_req: ExpressRequest, res: ExpressResponse) => {
      setTimeout(() => res.status(502).send('upstream'), 5);
    });
    const url = await serve(handler);
    expect(await statuses(url, 2)).toEqual([502, 502]);
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(29);
    await expect(response.json()).resolves.toEqual({ error: 'service temporarily unavailable' });
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it.each<[string, (req: ExpressRequest, res: ExpressResponse, next: NextFunction) => unknown]>([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('boom');
      },
    ],
    ['calls next(error)', (_req, _res, next) => next(new Error('boom'))],
  ])('hands on the error once and counts a failure when the handler %s', async (_how, handler) => {
    const url = await serve(handler);
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([500, 'boom']);
    expect(errors).toHaveLength(1);
    expect(totals()).toMatchObject({ succeeded: 0, failed: 1 });
  });

  it.each([undefined, 'route'])('passes on with next(%s), which is a success', async (word) => {
    const url = await serve((_req, _res, next) => next(word as 'route'));
    const response = await fetch(url);
    expect(await response.text()).toBe('the next handler');
    expect(totals()).toMatchObject({ succeeded: 1, failed: 0 });
  });

  it('hands on what the handler rejects with after its answer', async () => {
    const page = withCircuitBreaker(
      'orders',
      async (_req: IncomingMessage, res: ServerResponse) => {
        await new Promise<void>((resolve) => {
          res.end('done', resolve);
        });
        throw new Error('too late');
      },
      { handler: 'node', ...opts() },
    );
    const url = await listen((req, res) => void page(req, res, (error) => errors.push(error as Error)));
    expect(await statuses(url, 1)).toEqual([200]);
    await vi.waitFor(() => expect(errors).toEqual([new Error('too late')]), 30_000);
    expect(totals()).toMatchObject({ succeeded: 1, failed: 0 });
  });

  it('is neutral about a client that leaves', async () => {
    let arrived = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const url = await serve(() => arrived());
    const abandoned = request(url);
    abandoned.on('error', () => {});
    abandoned.end();
    await arrival;
    abandoned.destroy();
    await vi.waitFor(() => expect(totals()).toMatchObject({ ignored: 1, failed: 0 }), 30_000);
    expect(registry.get('orders')?.running).toBe(0);
    expect(errors).toEqual([]);
  });

  it('lets a fallback answer', async () => {
    const url = await listen(
      withCircuitBreaker('orders', (_req: IncomingMessage, res: ServerResponse) => void res.writeHead(500).end(), {
        handler: 'node',
        ...opts(),
        fallback: (_error, _req, res) => void res.end('cached'),
      }),
    );
    await statuses(url, 2);
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([200, 'cached']);
  });
});

describe("withCircuitBreaker, handler: 'node', without next", () => {
  it('rejects as the handler does, for frameworks that await it, and answers 503 when open', async () => {
    const rejections: unknown[] = [];
    const page = withCircuitBreaker(
      'orders',
      async (_req: IncomingMessage, _res: ServerResponse) => {
        throw new Error('boom');
      },
      { handler: 'node', ...opts() },
    );
    const url = await listen((req, res) => {
      page(req, res).catch((error: Error) => {
        rejections.push(error.message);
        res.writeHead(500).end();
      });
    });
    expect(await statuses(url, 3)).toEqual([500, 500, 503]);
    expect(rejections).toEqual(['boom', 'boom']);
  });

  it('cuts an answer short that has begun before it, so that it neither hangs nor looks whole', async () => {
    const page = withCircuitBreaker('orders', (_req: IncomingMessage, res: ServerResponse) => void res.end(), {
      handler: 'node',
      ...opts(),
    });
    registry.get('orders')?.isolate();
    const url = await listen(async (req, res) => {
      res.write('begun');
      await page(req, res);
    });
    const response = await fetch(url);
    await expect(response.text()).rejects.toThrow();
  });

  it('is neutral about a client that was gone before', async () => {
    const handler = vi.fn();
    const page = withCircuitBreaker('orders', handler, { handler: 'node', ...opts(), isFailure: () => true });
    await page({}, { destroyed: true, once: vi.fn(), removeListener: vi.fn() } as never);
    expect(handler).not.toHaveBeenCalled();
    expect(totals()).toMatchObject({ ignored: 1 });
  });

  it('counts an answer of 500 and a client that left alike where the name was first used otherwise', async () => {
    withCircuitBreaker('orders', () => 'plain', {
      ...opts(),
      isFailure: ({ status }: never) => status === 502,
    } as never);
    let status = 501;
    const page = withCircuitBreaker(
      'orders',
      (_req: IncomingMessage, res: ServerResponse) => void res.writeHead(status).end(),
      {
        handler: 'node',
        ...opts(),
      },
    );
    const url = await listen((req, res) => void page(req, res));
    expect(await statuses(url, 3)).toEqual([501, 501, 501]);
    status = 502;
    expect(await statuses(url, 3)).toEqual([502, 502, 503]);
  });

  it('takes no isFailureResult', () => {
    const options = { handler: 'node', registry, isFailureResult: () => true } as const;
    expect(() => withCircuitBreaker('orders', () => {}, options)).toThrow(/isFailureResult: expected nothing/);
  });

  it('sends no Retry-After while isolated, for there is no end in sight', async () => {
    const page = withCircuitBreaker('orders', (_req: IncomingMessage, res: ServerResponse) => void res.end(), {
      handler: 'node',
      ...opts(),
    });
    registry.get('orders')?.isolate();
    const response = await fetch(await listen((req, res) => void page(req, res)));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, null]);
  });
});

describe('withCircuitBreaker, plain', () => {
  it('wraps a function and refuses an unknown kind of handler', async () => {
    const add = withCircuitBreaker('add', (left: number, right: number) => left + right, { registry });
    const sum: number = await add(2, 3);
    expect(sum).toBe(5);
    expect(() => withCircuitBreaker('x', () => 1, { handler: 'express' } as never)).toThrow(
      /handler: .*"node", "fetch"/,
    );
  });
});
