import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { Deferred } from '../../internal/async/deferred.ts';
import { createNodeHandlers, createPerformanceMiddleware, PerformanceMonitor } from '../index.ts';
import { type ParsedSample, parseExposition } from '../strict-exposition-parser.fixture.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const listen = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const newMonitor = () => {
  const monitor = new PerformanceMonitor({ prefix: '' });
  closers.push(() => monitor.close());
  return monitor;
};

const counts = async (monitor: PerformanceMonitor): Promise<Record<string, number>> => {
  const family = parseExposition(await monitor.getMetrics()).get('http_request_duration_seconds');
  const key = ({ labels }: ParsedSample) => `${labels['method']} ${labels['route']} ${labels['status']}`;
  return Object.fromEntries(
    (family?.samples ?? []).filter(({ name }) => name.endsWith('_count')).map((sample) => [key(sample), sample.value]),
  );
};

describe('createPerformanceMiddleware', () => {
  it("labels Express's requests with the route's pattern, not with the path", async () => {
    const monitor = newMonitor();
    const app = express();
    app.use(createPerformanceMiddleware(monitor));
    const api = express.Router();
    api.get('/images/:id', (_, response) => void response.send('image'));
    api.get('/broken', (_, response) => void response.status(500).send('broken'));
    app.use('/api', api);
    const url = await listen(app);
    for (const path of ['/api/images/1', '/api/images/2', '/api/broken', '/wp-login.php', '/.env']) {
      await (await fetch(url + path)).text();
    }
    expect(await counts(monitor)).toEqual({
      'GET /api/images/:id 200': 2,
      'GET /api/broken 500': 1,
      'GET unmatched 404': 2,
    });
    expect(monitor.generateReport().operations).toMatchObject([
      { name: 'http_request', count: 5, errorCount: 1, errorRatio: 0.2 },
    ]);
    expect(monitor.generateReport().gauges).toEqual([{ name: 'http_requests_in_flight', labels: {}, value: 0 }]);
  });

  it('replaces ids where nothing knows the route, and bounds methods and routes', async () => {
    const monitor = newMonitor();
    const measure = createPerformanceMiddleware(monitor, { maxRoutes: 2 });
    const url = await listen((request, response) => measure(request, response, () => response.end('ok')));
    const paths = ['/images/42?x=1', '/images/43', '/users/0b8f6c1e-8d0f-4a5e-9d6a-2f6f5f1b7a10', '/third', '/fourth'];
    for (const path of paths) await (await fetch(url + path)).text();
    await (await fetch(url, { method: 'PROPFIND' })).text();
    expect(await counts(monitor)).toEqual({
      'GET /images/:id 200': 2,
      'GET /users/:id 200': 1,
      'GET other 200': 2,
      'other other 200': 1,
    });
  });

  it('counts a response that the client left once, as aborted', async () => {
    const monitor = newMonitor();
    const measure = createPerformanceMiddleware(monitor);
    const arrived = new Deferred<void>();
    const closed = new Deferred<void>();
    const url = await listen((request, response) => {
      measure(request, response);
      response.once('close', () => closed.resolve());
      arrived.resolve();
    });
    const controller = new AbortController();
    const left = fetch(url, { signal: controller.signal }).catch(() => 'left');
    await arrived.promise;
    expect(monitor.generateReport().gauges).toMatchObject([{ value: 1 }]);
    controller.abort();
    await Promise.all([left, closed.promise]);
    expect(await counts(monitor)).toEqual({ 'GET / aborted': 1 });
    expect(monitor.generateReport().gauges).toMatchObject([{ value: 0 }]);
  });

  it('never fails a request', async () => {
    const monitor = newMonitor();
    monitor.incrementCounter('http_request_duration');
    const measure = createPerformanceMiddleware(monitor, {
      route: () => {
        throw new Error('no route');
      },
    });
    const url = await listen((request, response) => measure(request, response, () => response.end('ok')));
    expect(await (await fetch(url)).text()).toBe('ok');
  });
});

describe('createNodeHandlers', () => {
  it('serves health and metrics over Express', async () => {
    const monitor = newMonitor();
    monitor.incrementCounter('calls');
    const { health, stats, metrics } = createNodeHandlers({
      health: () => monitor.getHealthStatus(),
      stats: () => monitor.getStats(),
      metrics: () => monitor.getMetrics(),
    });
    const url = await listen(express().get('/health', health).get('/stats', stats).get('/metrics', metrics));
    const scraped = await fetch(`${url}/metrics`);
    expect(scraped.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(scraped.headers.get('cache-control')).toBe('no-store');
    expect(parseExposition(await scraped.text()).get('calls_total')?.samples).toMatchObject([{ value: 1 }]);
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'healthy' });
    expect(await (await fetch(`${url}/stats`)).json()).toMatchObject({ metrics: 1 });
    const head = await fetch(`${url}/health`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});
