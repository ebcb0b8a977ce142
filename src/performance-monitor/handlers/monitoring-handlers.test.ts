import { describe, expect, it } from 'vitest';
import { createFetchHandlers, createNodeHandlers, type MonitoringPorts } from '../index.ts';

const ports = (overrides: Partial<MonitoringPorts> = {}): MonitoringPorts => ({
  health: async () => ({ status: 'healthy' }),
  stats: () => ({ calls: 1 }),
  metrics: async () => '# HELP x x\n',
  ...overrides,
});

const get = new Request('http://localhost/');

describe('createFetchHandlers', () => {
  it('answers as fetch wants it', async () => {
    const { health, stats, metrics } = createFetchHandlers(ports());
    expect(await (await health(get)).json()).toEqual({ status: 'healthy' });
    expect(await (await stats(get)).json()).toEqual({ calls: 1 });
    const response = await metrics(get);
    expect(response.headers.get('content-type')).toContain('version=0.0.4');
    expect(await response.text()).toBe('# HELP x x\n');
  });

  it.each([
    ['healthy', 200],
    ['degraded', 200],
    ['unhealthy', 503],
  ])('says %s with %i', async (status, code) => {
    const { health } = createFetchHandlers(ports({ health: () => ({ status }) }));
    expect((await health(get)).status).toBe(code);
  });

  it('knows OpenMetrics by its end mark', async () => {
    const { metrics } = createFetchHandlers(ports({ metrics: () => 'x_total 1\n# EOF\n' }));
    expect((await metrics(get)).headers.get('content-type')).toContain('openmetrics-text');
  });

  it('answers 500 without the reason when a port fails', async () => {
    const failing = () => {
      throw new Error('redis://user:secret@host');
    };
    const handlers = createFetchHandlers({
      health: failing,
      stats: failing,
      metrics: () => Promise.reject('secret'),
    });
    for (const handler of Object.values(handlers)) {
      const response = await handler(get);
      expect(response.status).toBe(500);
      expect(await response.text()).not.toContain('secret');
    }
  });

  it('serves GET and HEAD only', async () => {
    const { health } = createFetchHandlers(ports());
    const post = await health(new Request('http://localhost/', { method: 'POST' }));
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await health(new Request('http://localhost/', { method: 'HEAD' }));
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});

describe('createNodeHandlers', () => {
  it('answers on the response it is given', async () => {
    const headers = new Map<string, string>();
    let body: string | undefined;
    const response = {
      statusCode: 0,
      setHeader: (name: string, value: string) => headers.set(name, value),
      end: (text?: string) => {
        body = text;
      },
    };
    await createNodeHandlers(ports({ health: () => ({ status: 'unhealthy' }) })).health({ method: 'GET' }, response);
    expect([response.statusCode, body, headers.get('cache-control')]).toEqual([
      503,
      '{"status":"unhealthy"}',
      'no-store',
    ]);
  });
});
