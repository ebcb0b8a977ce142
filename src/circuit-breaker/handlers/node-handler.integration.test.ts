import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, { type NextFunction } from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred } from '../../internal/async/deferred.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { CircuitBreakerRegistry } from '../registry.ts';
import type { NodeHandler } from './node-exchange.ts';
import { type WithCircuitBreakerOptions, withCircuitBreaker } from './with-circuit-breaker.ts';

type Handler = NodeHandler<IncomingMessage, ServerResponse>;
type Options = WithCircuitBreakerOptions<[IncomingMessage, ServerResponse, (error?: unknown) => void], void>;

let registry: CircuitBreakerRegistry;
let heard: unknown[];
let passedOn: number;
let server: Server;
const unhandled = vi.fn();
const boom = new Error('boom');
const pause = (durationMs: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, durationMs);
  });

beforeEach(() => {
  registry = new CircuitBreakerRegistry();
  heard = [];
  passedOn = 0;
  unhandled.mockReset();
  process.on('unhandledRejection', unhandled);
});

afterEach(async () => {
  await pause(5);
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
  for (const name of registry.getAll().keys()) registry.remove(name);
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

const protect = (handler: Handler, options: Options = {}) =>
  withCircuitBreaker('page', handler, { registry, failureThreshold: 2, ...options, handler: 'node' });
const totals = () => registry.get('page')?.getStats().totals;

async function listen(listener: (req: IncomingMessage, res: ServerResponse) => void): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** As `createServer(withCircuitBreaker(…))` in the guide: nothing awaits the promise. */
const plain = (handler: Handler, options?: Options) => {
  const page = protect(handler, options);
  return listen((req, res) => void page(req, res));
};

/** In Express, with another handler behind it and error middleware that answers 500. */
function inExpress(handler: Handler, options?: Options): Promise<string> {
  const app = express();
  app.use(protect(handler, options));
  app.use((_req, res) => {
    passedOn += 1;
    res.end('the next handler');
  });
  app.use((error: unknown, _req: IncomingMessage, res: express.Response, _next: NextFunction) => {
    heard.push(error);
    if (res.headersSent) res.destroy();
    else res.status(500).end('error page');
  });
  return listen(app);
}

const answerOf = async (url: string) => {
  const response = await fetch(url);
  return [response.status, await response.text().catch(() => 'cut short')];
};

const failingSource = () =>
  new Readable({
    read() {
      setTimeout(() => this.destroy(boom), 5);
    },
  });

describe("the breaker's own timeout in a plain server", () => {
  it('is answered with 504 and ends no process', async () => {
    const url = await plain(() => new Promise(() => {}), { timeoutMs: 20 });
    expect(await answerOf(url)).toEqual([504, '{"error":"timed out"}']);
    expect(totals()).toMatchObject({ timedOut: 1 });
  });

  it('cuts an answer short that has begun', async () => {
    const url = await plain(
      async (_req, res) => {
        res.write('half');
        await new Promise(() => {});
      },
      { timeoutMs: 20 },
    );
    expect(await answerOf(url)).toEqual([200, 'cut short']);
  });

  it('leaves a slow probe alone whose answer takes longer than a break', async () => {
    const url = await plain(
      async (_req, res) => {
        res.write('a');
        await pause(80);
        res.end('b');
      },
      { resetTimeoutMs: 20 },
    );
    registry.get('page')?.open();
    await vi.waitFor(() => expect(registry.get('page')?.state).toBe('HALF_OPEN'), 30_000);
    expect(await answerOf(url)).toEqual([200, 'ab']);
    expect(registry.get('page')?.state).toBe('CLOSED');
  });

  it('makes nothing of what the handler does afterwards', async () => {
    const late = vi.fn();
    const url = await inExpress(
      async (_req, _res, next) => {
        await pause(40);
        next();
        late();
        throw new Error('too late');
      },
      { timeoutMs: 20 },
    );
    expect(await answerOf(url)).toEqual([500, 'error page']);
    await vi.waitFor(() => expect(late).toHaveBeenCalled(), 30_000);
    await pause(5);
    expect(heard).toEqual([expect.objectContaining({ code: 'DESCRIBE_TIMEOUT' })]);
    expect(passedOn).toBe(0);
  });
});

describe('a timeout that the fallback answers', () => {
  it('is over with its answer, whatever the handler still rejects with', async () => {
    const late = vi.fn();
    const url = await inExpress(
      async () => {
        await pause(60);
        late();
        throw new Error('too late');
      },
      {
        timeoutMs: 20,
        fallback: async (_error, _req, res) => {
          await new Promise<void>((resolve) => {
            res.end('cached', resolve);
          });
        },
      },
    );
    expect(await answerOf(url)).toEqual([200, 'cached']);
    await vi.waitFor(() => expect(late).toHaveBeenCalled(), 30_000);
    await pause(5);
    expect(heard).toEqual([]);
  });
});

describe('an outage behind a handler that streams', () => {
  it.each<[string, Handler]>([
    ['awaits its pipeline', (_req, res) => pipeline(failingSource(), res)],
    ['destroys its response with the error', (_req, res) => void setTimeout(() => res.destroy(boom), 5)],
  ])('is a failure, and the framework hears of it, when the handler %s', async (_how, handler) => {
    const url = await inExpress(handler);
    await answerOf(url).catch(() => {});
    await vi.waitFor(() => expect(heard).toEqual([boom]), 30_000);
    expect(totals()).toMatchObject({ failed: 1, ignored: 0 });
  });

  it('is a failure in a plain server, too, which it does not end', async () => {
    const url = await plain((_req, res) => void setTimeout(() => res.destroy(boom), 5));
    await answerOf(url).catch(() => {});
    await vi.waitFor(() => expect(totals()).toMatchObject({ failed: 1, ignored: 0 }), 30_000);
  });

  it('is told from a client that leaves in the middle of the stream', async () => {
    const url = await inExpress((_req, res) => pipeline(endless(), res));
    const controller = new AbortController();
    const response = await fetch(url, { signal: controller.signal });
    controller.abort();
    await response.text().catch(() => {});
    await vi.waitFor(() => expect(totals()).toMatchObject({ failed: 0, ignored: 1 }), 30_000);
    expect(heard).toEqual([]);
  });

  it('stays away as long as an answer of 503 asked for', async () => {
    const url = await inExpress(
      (_req, res) => {
        res.setHeader('retry-after', '120');
        res.statusCode = 503;
        res.end();
      },
      { failureThreshold: 1 },
    );
    await answerOf(url);
    expect((await fetch(url)).headers.get('retry-after')).toBe('120');
  });
});

function endless(): Readable {
  return Readable.from(
    (async function* () {
      for (;;) {
        yield 'more';
        await pause(1);
      }
    })(),
  );
}

describe('work after the answer', () => {
  it('is no part of the call, however long it takes', async () => {
    const clock = new ManualClock();
    const work = new Deferred<void>();
    const url = await inExpress(
      async (_req, res) => {
        res.end('done');
        await work.promise;
      },
      { timeoutMs: 20, clock },
    );
    expect(await answerOf(url)).toEqual([200, 'done']);
    await vi.waitFor(() => expect(totals()).toMatchObject({ succeeded: 1 }), 30_000);
    await clock.advance(60);
    work.resolve();
    await clock.flush();
    expect(totals()).toMatchObject({ succeeded: 1, timedOut: 0 });
  });
});

describe('one request', () => {
  it('is not answered by the fallback once its error was passed on', async () => {
    const fallback = vi.fn();
    const url = await inExpress((_req, _res, next) => next(boom), { fallback });
    expect(await answerOf(url)).toEqual([500, 'error page']);
    await vi.waitFor(() => expect(totals()).toMatchObject({ failed: 1, fellBack: 0 }), 30_000);
    expect(fallback).not.toHaveBeenCalled();
  });

  it('goes on to the next handler when its fallback says so', async () => {
    const url = await inExpress(() => Promise.reject(boom), {
      fallback: (_error, _req, _res, next) => next(),
    });
    expect(await answerOf(url)).toEqual([200, 'the next handler']);
    expect(totals()).toMatchObject({ failed: 1, fellBack: 1 });
  });

  it('fails when a foreign promise of its handler rejects', async () => {
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: a foreign promise is what this is about
      then: (_resolve: unknown, reject: (error: Error) => void) => void setTimeout(() => reject(boom), 5),
    };
    const url = await inExpress(() => thenable);
    expect(await answerOf(url)).toEqual([500, 'error page']);
    expect(heard).toEqual([boom]);
  });

  it('does not hang when its answer has begun before and the breaker is open', async () => {
    const page = protect((_req, res) => void res.end());
    registry.get('page')?.isolate();
    const app = express();
    app.use((_req, res, next) => {
      res.write('begun');
      next();
    });
    app.use(page);
    app.use((error: unknown, _req: IncomingMessage, res: express.Response, _next: NextFunction) => {
      heard.push(error);
      res.destroy();
    });
    expect(await answerOf(await listen(app))).toEqual([200, 'cut short']);
    expect(heard).toEqual([expect.objectContaining({ code: 'DESCRIBE_CIRCUIT_OPEN' })]);
  });

  it('does not go on to the next handler when its own rejects with nothing', async () => {
    const url = await inExpress(() => Promise.reject(undefined));
    expect(await answerOf(url)).toEqual([500, 'error page']);
    expect(totals()).toMatchObject({ failed: 1 });
  });

  it('hands on what its handler throws after next()', async () => {
    const page = protect((_req, _res, next) => {
      next();
      throw boom;
    });
    const url = await listen((req, res) => {
      void page(req, res, (error) => {
        heard.push(error);
        if (error !== undefined) res.end('heard');
      });
    });
    expect(await answerOf(url)).toEqual([200, 'heard']);
    expect(heard).toEqual([undefined, boom]);
    expect(totals()).toMatchObject({ succeeded: 1, failed: 0 });
  });

  it.each([0, '', false, null])('passes on with next(%j), which is a success', async (word) => {
    const url = await inExpress((_req, _res, next) => next(word));
    expect(await answerOf(url)).toEqual([200, 'the next handler']);
    expect(totals()).toMatchObject({ succeeded: 1, failed: 0 });
  });
});
