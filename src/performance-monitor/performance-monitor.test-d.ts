import { Registry } from 'prom-client';
import { expectTypeOf, it } from 'vitest';
import { createFetchHandlers, createNodeHandlers, createPerformanceMiddleware, PerformanceMonitor } from './index.ts';

it('types what is timed as it was', () => {
  const monitor = new PerformanceMonitor();
  expectTypeOf(monitor.time('sync', () => 5)).toEqualTypeOf<number>();
  expectTypeOf(monitor.time('async', async () => 'text')).toEqualTypeOf<Promise<string>>();
  expectTypeOf(monitor.endTimer(1)).toEqualTypeOf<number | undefined>();
});

it('takes registries of both formats, and labels of three types', () => {
  expectTypeOf(new PerformanceMonitor({ registry: new Registry() })).toEqualTypeOf<PerformanceMonitor>();
  expectTypeOf<{ a: string; b: number; c: boolean }>().toExtend<
    Parameters<PerformanceMonitor['incrementCounter']>[1]
  >();
  expectTypeOf<{ a: object }>().not.toExtend<Parameters<PerformanceMonitor['incrementCounter']>[1]>();
});

it("fits Node's and Express's handlers", () => {
  type NodeListener = import('node:http').RequestListener;
  type ExpressHandler = import('express').RequestHandler;
  type Ports = Parameters<typeof createNodeHandlers>[0];
  const ports: Ports = { health: () => ({ status: 'healthy' }), stats: () => 1, metrics: async () => '' };
  expectTypeOf(createPerformanceMiddleware()).toExtend<ExpressHandler>();
  expectTypeOf(createNodeHandlers(ports).health).toExtend<NodeListener>();
  expectTypeOf(createNodeHandlers(ports).health).toExtend<ExpressHandler>();
  expectTypeOf(createFetchHandlers(ports).metrics).toExtend<(request: Request) => Promise<Response>>();
});
