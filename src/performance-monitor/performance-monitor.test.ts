import { describe, expect, it, vi } from 'vitest';
import { DescribeError } from '../errors/index.ts';
import { type MetricLabels, PerformanceMonitor } from './index.ts';
import { exposed, useMonitors } from './monitors.fixture.ts';
import { parseExposition } from './strict-exposition-parser.fixture.ts';

const monitorOn = useMonitors();

describe('incrementCounter', () => {
  it('adds up by label set, and is exposed with _total', async () => {
    const { monitor } = monitorOn();
    monitor.incrementCounter('uploads', { format: 'png' });
    monitor.incrementCounter('uploads', { format: 'png' }, 2);
    monitor.incrementCounter('uploads', { format: 'jpeg' });
    expect(await exposed(monitor, 'describe_it_uploads_total')).toMatchObject({
      type: 'counter',
      samples: [
        { labels: { format: 'png' }, value: 3 },
        { labels: { format: 'jpeg' }, value: 1 },
      ],
    });
  });

  it('is the same counter with and without _total', async () => {
    const { monitor } = monitorOn();
    monitor.incrementCounter('uploads');
    monitor.incrementCounter('uploads_total');
    expect((await exposed(monitor, 'describe_it_uploads_total'))?.samples).toMatchObject([{ value: 2 }]);
  });

  it('takes labels in any order and numbers as text', () => {
    const { monitor } = monitorOn();
    monitor.incrementCounter('calls', { model: 'a', status: 200 });
    monitor.incrementCounter('calls', { status: '200', model: 'a' });
    expect(monitor.getStats().series).toBe(1);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '5'])('refuses to grow by %j', (by) => {
    const { monitor } = monitorOn();
    expect(() => monitor.incrementCounter('calls', {}, by as number)).toThrow(/finite number of at least 0/);
  });
});

describe('names and labels', () => {
  it.each(['', '1st', 'with-dash', 'ümlaut', 'a b', 'x'.repeat(300)])('refuses the name %j at once', (name) => {
    const { monitor } = monitorOn();
    const record = [
      () => monitor.incrementCounter(name),
      () => monitor.gauge(name, 1),
      () => monitor.histogram(name, 1),
    ];
    for (const call of record) {
      expect(call).toThrow(expect.objectContaining({ code: 'DESCRIBE_INPUT_INVALID', field: 'name' }));
    }
  });

  it.each(['le', 'quantile', '__name__', 'with-dash', 'service'])('refuses the label %s', (label) => {
    const { monitor } = monitorOn({ labels: { service: 'gallery' } });
    expect(() => monitor.incrementCounter('calls', { [label]: 'x' })).toThrow(
      expect.objectContaining({ code: 'DESCRIBE_INPUT_INVALID', field: 'labels' }),
    );
  });

  it('refuses a name that is another kind of metric already', () => {
    const { monitor } = monitorOn();
    monitor.incrementCounter('calls');
    expect(() => monitor.gauge('calls', 1)).toThrow('calls is a counter already');
    monitor.histogram('wait', 1, {}, { unit: 'ms' });
    expect(() => monitor.incrementCounter('wait')).toThrow('wait is a histogram already');
  });

  it('refuses two metrics that would be exposed under one name', () => {
    const { monitor } = monitorOn();
    monitor.incrementCounter('calls');
    expect(() => monitor.gauge('calls_total', 1)).toThrow('describe_it_calls_total');
    monitor.histogram('wait', 1);
    expect(() => monitor.gauge('wait_count', 1)).toThrow('describe_it_wait_count');
  });

  it("refuses the names of the monitor's own metrics, and those that every object has", () => {
    const { monitor } = monitorOn({ prefix: '', help: {} });
    expect(() => monitor.gauge('process_heap_used_bytes', 1)).toThrow("the monitor's own metrics");
    expect(() => monitor.incrementCounter('monitor_overflow')).toThrow("the monitor's own metrics");
    expect(() => monitor.gauge('constructor', 1)).toThrow('constructor is a name that prom-client cannot take');
  });

  it('takes its HELP texts from the options', async () => {
    const { monitor } = monitorOn({ help: { uploads: 'Photographs\nuploaded.' } });
    monitor.incrementCounter('uploads');
    monitor.gauge('constructor', 1);
    const families = parseExposition(await monitor.getMetrics());
    expect(families.get('describe_it_uploads_total')?.help).toBe('Photographs\\nuploaded.');
    expect(families.get('describe_it_constructor')?.help).toBe('constructor, recorded by the performance monitor.');
  });

  it('takes differing label sets, in which a missing label is an empty one', async () => {
    const { monitor } = monitorOn();
    const unset = { model: undefined } as unknown as MetricLabels;
    for (const labels of [{ model: 'a' }, {}, { status: 'b' }, { status: 'b', model: 'a' }, unset]) {
      monitor.incrementCounter('calls', labels);
    }
    monitor.incrementCounter('calls', { model: '', status: '' });
    const family = parseExposition(await monitor.getMetrics()).get('describe_it_calls_total');
    expect(family?.samples.map(({ labels, value }) => [labels, value])).toEqual([
      [{ model: 'a' }, 1],
      [{}, 3],
      [{ status: 'b' }, 1],
      [{ model: 'a', status: 'b' }, 1],
    ]);
  });

  it('refuses a label set of more than 32 entries before it reads any value', () => {
    const { monitor } = monitorOn();
    monitor.incrementCounter('known');
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`label_${index}`, 'x']));
    const looks = { at: 0, lists: 0 };
    const labels = new Proxy(many, {
      ownKeys: (target) => {
        looks.lists += 1;
        return Reflect.ownKeys(target);
      },
      getOwnPropertyDescriptor: (target, name) => {
        looks.at += 1;
        return Reflect.getOwnPropertyDescriptor(target, name);
      },
    });
    for (const record of [
      () => monitor.incrementCounter('known', labels),
      () => monitor.incrementCounter('new', labels),
      () => monitor.gauge('level', 1, labels),
      () => monitor.histogram('wait', 1, labels),
      () => monitor.startTimer('work', labels),
      () => monitor.bindCounter('known', labels),
    ]) {
      Object.assign(looks, { at: 0, lists: 0 });
      expect(record).toThrow(
        /labels: (known|new|level|wait|work.duration|work_duration): expected at most 32 labels, got more/,
      );
      expect(looks.lists).toBe(1);
      expect(looks.at).toBeLessThan(100);
    }
    const config = () => new PerformanceMonitor({ labels: many });
    expect(config).toThrow(/labels: expected at most 32 labels, got 10000/);
  });

  it('refuses a label value that is no text, and more than 32 label names', () => {
    const { monitor } = monitorOn();
    const wrong = { model: null } as unknown as MetricLabels;
    expect(() => monitor.incrementCounter('calls', wrong)).toThrow('model must be a string');
    const labels = Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`label_${index}`, 'x']));
    monitor.incrementCounter('calls', labels);
    expect(() => monitor.incrementCounter('calls', { one_more: 'x' })).toThrow(
      'takes at most 32 label names, got one_more',
    );
    monitor.incrementCounter('calls', labels);
  });

  it('keeps what goes beyond maxSeries in one series when labels come later', async () => {
    const { monitor } = monitorOn({ maxSeries: 1 });
    for (const labels of [{ a: '1' }, { a: '2' }, { b: '1' }, { a: '1', b: '2' }, { a: '1' }]) {
      monitor.incrementCounter('calls', labels);
    }
    const family = parseExposition(await monitor.getMetrics()).get('describe_it_calls_total');
    expect(family?.samples.map(({ labels, value }) => [labels, value])).toEqual([
      [{ a: '1' }, 2],
      [{ a: 'other' }, 3],
    ]);
  });

  it('refuses another unit or other buckets than at the first use', () => {
    const { monitor } = monitorOn();
    monitor.histogram('size', 1, {}, { unit: 'bytes', buckets: [1, 2] });
    monitor.histogram('size', 2);
    monitor.histogram('size', 2, {}, { unit: 'bytes', buckets: [1, 2] });
    expect(() => monitor.histogram('size', 2, {}, { unit: 'ms' })).toThrow('in bytes already');
    expect(() => monitor.histogram('size', 2, {}, { buckets: [1] })).toThrow('got others');
  });

  it.each([[[]], [[2, 1]], [[1, 1]], [[Number.NaN]]])('refuses the buckets %j', (buckets) => {
    const { monitor } = monitorOn();
    expect(() => monitor.histogram('size', 1, {}, { buckets })).toThrow('ascending bounds');
  });
});

describe('histogram', () => {
  it('exposes milliseconds as seconds', async () => {
    const { monitor } = monitorOn();
    for (const value of [20, 30, 70_000]) monitor.histogram('wait_ms', value, { queue: 'a' }, { unit: 'ms' });
    const family = await exposed(monitor, 'describe_it_wait_seconds');
    expect(family?.samples).toContainEqual({
      name: 'describe_it_wait_seconds_bucket',
      labels: { queue: 'a', le: '0.025' },
      value: 1,
    });
    expect(family?.samples.at(-2)).toMatchObject({ name: 'describe_it_wait_seconds_sum', value: 70.05 });
    expect(family?.samples.at(-1)).toMatchObject({ name: 'describe_it_wait_seconds_count', value: 3 });
  });

  it('refuses what is no number', () => {
    const { monitor } = monitorOn();
    expect(() => monitor.histogram('wait', Number.NaN)).toThrow('finite number');
    expect(() => monitor.gauge('depth', Number.POSITIVE_INFINITY)).toThrow('finite number');
  });
});

describe('timing', () => {
  it('records the time between start and end', async () => {
    const { clock, monitor } = monitorOn();
    const id = monitor.startTimer('describe', { model: 'a' });
    await clock.advance(40);
    expect(monitor.endTimer(id)).toBe(40);
    expect(monitor.endTimer(id)).toBeUndefined();
    expect(monitor.generateReport().operations).toMatchObject([
      { name: 'describe', count: 1, errorCount: 0, meanMs: 40, p50Ms: 40 },
    ]);
  });

  it('lets the oldest timer be evicted', () => {
    const { monitor } = monitorOn({ maxPendingTimers: 2 });
    const [first, second] = [monitor.startTimer('a'), monitor.startTimer('a'), monitor.startTimer('a')];
    expect(monitor.endTimer(first ?? 0)).toBeUndefined();
    expect(monitor.endTimer(second ?? 0)).toBe(0);
    expect(monitor.getStats()).toMatchObject({ pendingTimers: 1, droppedTimers: 1 });
  });

  it('settles as the function does, sync and async', async () => {
    const { monitor } = monitorOn();
    const boom = new Error('boom');
    expect(monitor.time('sync', () => 5)).toBe(5);
    expect(await monitor.time('async', async () => 6)).toBe(6);
    const throwing = () => {
      throw boom;
    };
    expect(() => monitor.time('sync', throwing)).toThrow(boom);
    await expect(monitor.time('async', () => Promise.reject(boom))).rejects.toBe(boom);
    expect(monitor.generateReport().operations).toMatchObject([
      { name: 'sync', count: 2, errorCount: 1, errorRatio: 0.5 },
      { name: 'async', count: 2, errorCount: 1, errorRatio: 0.5 },
    ]);
  });

  it('does not call the function under a wrong name', () => {
    const { monitor } = monitorOn();
    const work = vi.fn();
    expect(() => monitor.time('no name', work)).toThrow(DescribeError);
    expect(work).not.toHaveBeenCalled();
  });
});

describe('bounds', () => {
  it('collapses further label sets into one called other, and counts them', async () => {
    const { monitor } = monitorOn({ maxSeries: 2 });
    for (const user of ['a', 'b', 'c', 'd', 'a']) monitor.incrementCounter('calls', { user });
    const family = await exposed(monitor, 'describe_it_calls_total');
    expect(family?.samples.map(({ labels, value }) => [labels['user'], value])).toEqual([
      ['a', 2],
      ['b', 1],
      ['other', 2],
    ]);
    expect((await exposed(monitor, 'describe_it_monitor_overflow_total'))?.samples).toMatchObject([
      { labels: { metric: 'calls' }, value: 2 },
    ]);
    expect(monitor.getStats().overflows).toBe(2);
  });

  it('drops further metrics and counts what they recorded', async () => {
    const { monitor } = monitorOn({ maxMetrics: 1 });
    monitor.incrementCounter('first');
    monitor.gauge('second', 1);
    monitor.histogram('third', 1);
    monitor.incrementCounter('first');
    expect(monitor.getStats()).toMatchObject({ metrics: 1, overflows: 2 });
    expect((await exposed(monitor, 'describe_it_monitor_overflow_total'))?.samples).toMatchObject([
      { labels: { metric: 'other' }, value: 2 },
    ]);
  });

  it('cuts no character of a long label value in two', async () => {
    const { monitor } = monitorOn();
    monitor.incrementCounter('calls', { user: `${'x'.repeat(199)}🎉` });
    const family = await exposed(monitor, 'describe_it_calls_total');
    expect(family?.samples.map(({ labels }) => labels['user'])).toEqual(['x'.repeat(199)]);
  });

  it('cuts long label values', async () => {
    const { monitor } = monitorOn();
    monitor.incrementCounter('calls', { user: 'x'.repeat(5000) });
    monitor.incrementCounter('calls', { user: `${'x'.repeat(200)}y` });
    expect((await exposed(monitor, 'describe_it_calls_total'))?.samples).toMatchObject([{ value: 2 }]);
  });

  it('keeps no timer', () => {
    const { clock, monitor } = monitorOn();
    monitor.histogram('wait', 1);
    expect(clock.pendingTimers).toBe(0);
  });
});
