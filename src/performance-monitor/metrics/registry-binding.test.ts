import { AggregatorRegistry, Counter, type OpenMetricsContentType, Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { PerformanceMonitorOptions } from '../index.ts';
import { PerformanceMonitor } from '../index.ts';
import { parseExposition } from '../strict-exposition-parser.fixture.ts';

const open: PerformanceMonitor[] = [];

const monitorWith = (options: PerformanceMonitorOptions) => {
  const monitor = new PerformanceMonitor({ prefix: '', ...options });
  open.push(monitor);
  return monitor;
};

afterEach(() => {
  for (const monitor of open.splice(0)) monitor.close();
});

const values = async (registry: { metrics(): Promise<string> }, name: string) =>
  parseExposition(await registry.metrics())
    .get(name)
    ?.samples.map(({ labels, value }) => [labels, value]);

describe("a user's registry", () => {
  it("shows the monitor's metrics among its own, with its default labels", async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ host: 'a' });
    new Counter({ name: 'own_total', help: 'own', registers: [registry] }).inc();
    const monitor = monitorWith({ registry });
    monitor.incrementCounter('calls', { model: 'x' });
    expect(await values(registry, 'own_total')).toEqual([[{ host: 'a' }, 1]]);
    expect(await values(registry, 'calls_total')).toEqual([[{ model: 'x', host: 'a' }, 1]]);
    expect(await monitor.getMetrics()).toContain('own_total');
  });

  it('adds up what two monitors record under one name', async () => {
    const registry = new Registry();
    const [first, second] = [monitorWith({ registry }), monitorWith({ registry })];
    for (const monitor of [first, second]) {
      monitor.incrementCounter('calls', { model: 'x' });
      monitor.histogram('wait', 20, {}, { unit: 'ms', buckets: [10, 30] });
    }
    first.gauge('depth', 1);
    second.gauge('depth', 5);
    second.incrementCounter('calls', { model: 'y' });
    expect(await values(registry, 'calls_total')).toEqual([
      [{ model: 'x' }, 2],
      [{ model: 'y' }, 1],
    ]);
    expect(await values(registry, 'wait_seconds')).toEqual([
      [{ le: '0.01' }, 0],
      [{ le: '0.03' }, 2],
      [{ le: '+Inf' }, 2],
      [{}, 0.04],
      [{}, 2],
    ]);
    expect(await values(registry, 'depth')).toEqual([[{}, 5]]);
  });

  it('keeps monitors apart that have labels of their own', async () => {
    const registry = new Registry();
    monitorWith({ registry, labels: { client: 'a' } }).incrementCounter('calls');
    monitorWith({ registry, labels: { client: 'b' } }).incrementCounter('calls', {}, 2);
    expect(await values(registry, 'calls_total')).toEqual([
      [{ client: 'a' }, 1],
      [{ client: 'b' }, 2],
    ]);
  });

  it('shows what the process is about once, however many monitors share it', async () => {
    const registry = new Registry();
    monitorWith({ registry });
    monitorWith({ registry });
    const memory = await values(registry, 'process_resident_memory_bytes');
    expect(memory).toHaveLength(1);
    const cpu = await values(registry, 'process_cpu_seconds_total');
    const { user, system } = process.cpuUsage();
    expect(cpu?.[0]?.[1]).toBeLessThanOrEqual((user + system) / 1e6);
  });

  it('loses the metrics of a closed monitor, and keeps those of others', async () => {
    const registry = new Registry();
    const [first, second] = [monitorWith({ registry }), monitorWith({ registry })];
    first.incrementCounter('calls');
    first.incrementCounter('mine');
    second.incrementCounter('calls');
    first.close();
    expect(await values(registry, 'calls_total')).toEqual([[{}, 1]]);
    expect(await values(registry, 'mine_total')).toBeUndefined();
    second.close();
    expect(registry.getMetricsAsArray()).toEqual([]);
  });

  it('refuses a name that is another metric there', () => {
    const registry = new Registry();
    new Counter({ name: 'calls_total', help: 'own', registers: [registry] });
    const [first, second] = [monitorWith({ registry }), monitorWith({ registry })];
    const taken = expect.objectContaining({ code: 'DESCRIBE_INPUT_INVALID', field: 'name' });
    expect(() => first.incrementCounter('calls')).toThrow(taken);
    first.gauge('depth', 1);
    expect(() => second.histogram('depth', 1)).toThrow(taken);
    first.histogram('wait', 1, {}, { buckets: [1] });
    expect(() => second.histogram('wait', 1, {}, { buckets: [2] })).toThrow(taken);
  });

  it('gets the metrics back after it was cleared, and starts at zero after a reset', async () => {
    const registry = new Registry();
    const monitor = monitorWith({ registry });
    monitor.incrementCounter('calls');
    registry.clear();
    monitorWith({ registry }).incrementCounter('calls');
    expect(await values(registry, 'calls_total')).toEqual([[{}, 2]]);
    expect(await monitor.getMetrics()).toContain('process_resident_memory_bytes');
    registry.resetMetrics();
    monitor.incrementCounter('calls');
    expect(await values(registry, 'calls_total')).toEqual([[{}, 1]]);
  });

  it('gives JSON that a cluster adds up', async () => {
    const registry = new Registry();
    const monitor = monitorWith({ registry });
    monitor.incrementCounter('calls', { model: 'x' }, 3);
    monitor.histogram('size', 5, { model: 'x' }, { buckets: [10] });
    const workers = [await registry.getMetricsAsJSON(), await registry.getMetricsAsJSON()];
    const whole = AggregatorRegistry.aggregate(workers);
    expect(await values(whole, 'calls_total')).toEqual([[{ model: 'x' }, 6]]);
    expect(await values(whole, 'size')).toContainEqual([{ model: 'x', le: '10' }, 2]);
  });

  it('is scraped without blocking the event loop for more than one large metric', async () => {
    const registry = new Registry();
    const monitor = monitorWith({ registry, labels: { service: 'gallery' } });
    for (let metric = 0; metric < 5; metric += 1) {
      for (let user = 0; user < 100; user += 1) monitor.histogram(`size_${metric}`, user, { user });
    }
    await monitor.getMetrics();
    let turns = 0;
    let ended = false;
    const count = () => {
      turns += 1;
      if (!ended) setImmediate(count);
    };
    setImmediate(count);
    expect(parseExposition(await monitor.getMetrics()).get('size_4')?.samples).toHaveLength(100 * 24);
    ended = true;
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  it('may speak OpenMetrics', async () => {
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const monitor = monitorWith({ registry });
    monitor.incrementCounter('calls');
    for (const text of [await monitor.getMetrics(), await monitor.getMetrics()]) {
      expect(text).toContain('# TYPE calls counter\ncalls_total 1\n');
      expect(text.endsWith('# EOF\n')).toBe(true);
    }
  });
});

// Behaviour that MetricFamily relies on: prom-client documents none of it.
describe('prom-client 15.1', () => {
  it('asks a registered object for name, getForPromString(), get() and reset() only', async () => {
    const registry = new Registry();
    const asked = new Set<PropertyKey>();
    const about = { name: 'x_total', help: 'help', type: 'counter', aggregator: 'sum' };
    const sharedLabels = { a: 'b' };
    const metric = new Proxy(
      {
        name: 'x_total',
        getForPromString: async () => ({
          ...about,
          values: [{ labels: { c: 'd' }, sharedLabels, value: 1 }],
        }),
        get: async () => ({ ...about, values: [{ labels: { a: 'b', c: 'd' }, value: 1 }] }),
        reset: () => {},
      },
      {
        get: (target, member) => {
          asked.add(member);
          return Reflect.get(target, member) as unknown;
        },
      },
    );
    registry.registerMetric(metric as unknown as Counter);
    expect(await registry.metrics()).toBe('# HELP x_total help\n# TYPE x_total counter\nx_total{c="d",a="b"} 1\n');
    expect(await registry.getMetricsAsJSON()).toMatchObject([{ name: 'x_total', values: [{ value: 1 }] }]);
    registry.resetMetrics();
    registry.removeSingleMetric('x_total');
    expect([...asked].sort()).toEqual(['get', 'getForPromString', 'name', 'reset']);
  });

  it('keeps the text of shared labels by their object', async () => {
    const registry = new Registry();
    const sharedLabels: Record<string, string> = { a: 'b' };
    const values = [{ labels: {}, sharedLabels, value: 1 }];
    const metric = {
      name: 'x',
      getForPromString: async () => ({ name: 'x', help: 'x', type: 'gauge', values }),
    };
    registry.registerMetric(metric as unknown as Counter);
    await registry.metrics();
    sharedLabels['a'] = 'changed';
    expect(await registry.metrics()).toContain('x{a="b"} 1');
  });

  it('throws for a second metric of one name', () => {
    const registry = new Registry();
    const named = () => new Counter({ name: 'x_total', help: 'x', registers: [registry] });
    named();
    expect(named).toThrow('already been registered');
  });
});
