import { ClosedError } from '../errors/closed-error.ts';
import { ConfigError } from '../errors/config-error.ts';
import { callSafely, observed } from '../internal/async/user-callback.ts';
import { type Clock, setBackgroundInterval, wallClockNow } from '../internal/clock.ts';
import { BoundedMap } from '../internal/collections/bounded-map.ts';
import { deepFreeze } from '../internal/deep-freeze.ts';
import type { Listener, Unsubscribe } from '../internal/emitter.ts';
import { checkOptions, milliseconds, required, settingsOf } from '../internal/options/option-checks.ts';
import type { BoundCounter } from './metrics/counter-metric.ts';
import type { BoundHistogram, HistogramMetric } from './metrics/histogram-metric.ts';
import type { MetricSource } from './metrics/metric.ts';
import type { MetricLabels } from './metrics/metric-labels.ts';
import { durationName, errorsName, underscored } from './metrics/metric-name.ts';
import { type HistogramOptions, MetricStore } from './metrics/metric-store.ts';
import { OperationTimers, type TimerId } from './metrics/operation-timers.ts';
import { RegistryBinding } from './metrics/registry-binding.ts';
import { MONITOR_SPEC, type MonitorLogger, type PerformanceMonitorOptions } from './monitor-options.ts';
import { AlertWatch, type PerformanceAlert } from './reports/alert-watch.ts';
import { ALERT_SPEC, type AlertSettings, type PerformanceHealth, runHealthChecks } from './reports/health-checks.ts';
import { reportMetrics } from './reports/metrics-report.ts';
import type { PerformanceMonitorStats, PerformanceReport } from './reports/performance-report.ts';
import { SystemMetrics } from './system/system-metrics.ts';
import { systemSources } from './system/system-sources.ts';

/** Most operations whose histogram's name is remembered. */
const MAX_OPERATIONS = 1_000;

const NO_LABELS: MetricLabels = Object.freeze({});
const IN_MS: HistogramOptions = Object.freeze({ unit: 'ms' });

/**
 * Counts, measures and times in bounded memory, and shows it as Prometheus text, as a report and as health. Recording
 * is synchronous, and throws only for mistakes in the code: a bad name, or a name used for two kinds of metric.
 * Dots in names are underscores for Prometheus. After `close()` it records nothing, so that late work can still end.
 *
 * @example
 * ```ts
 * import { PerformanceMonitor } from '@describe-it/sdk/performance-monitor';
 *
 * const monitor = new PerformanceMonitor({ labels: { service: 'gallery' } });
 * monitor.incrementCounter('uploads', { format: 'jpeg' });
 * const thumbnail = await monitor.time('thumbnail', async () => new Uint8Array(3));
 * console.log(thumbnail.length, monitor.generateReport().operations, await monitor.getMetrics());
 * monitor.close();
 * ```
 */
export class PerformanceMonitor {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #thresholds: AlertSettings;
  readonly #logger: MonitorLogger | undefined;
  readonly #startedAtMs: number;
  readonly #enabled: boolean;
  readonly #store: MetricStore;
  readonly #binding: RegistryBinding;
  readonly #timers: OperationTimers;
  readonly #durationNames = new BoundedMap<string, string>(MAX_OPERATIONS);
  readonly #system: SystemMetrics;
  readonly #alerts: AlertWatch;
  #stopReports = () => {};
  #closed = false;

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists every wrong option. */
  constructor(given: PerformanceMonitorOptions = {}) {
    const options = checkOptions('PerformanceMonitor', given, MONITOR_SPEC);
    const { clock, enabled, registry, windowMs, alerts, alertIntervalMs, maxPendingTimers, logger } = options;
    const prefix = underscored(options.prefix);
    const labels = Object.freeze({ ...options.labels });
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#thresholds = settingsOf(alerts, ALERT_SPEC);
    this.#logger = logger;
    this.#enabled = enabled;
    this.#startedAtMs = clock.now();
    this.#timers = new OperationTimers(maxPendingTimers);
    this.#system = new SystemMetrics(clock, windowMs, enabled);
    this.#alerts = new AlertWatch(clock, enabled ? alertIntervalMs : undefined, () => this.getHealthStatus());
    this.#binding = new RegistryBinding(registry);
    const system = systemSources(prefix, labels, () => this.#system.read());
    const reserved = system.map(({ exposedName }) => exposedName);
    const onAdded = (metric: MetricSource) => this.#binding.add(metric);
    this.#store = new MetricStore({ ...options, prefix, labels, reserved, onAdded }, enabled, this.#startedAtMs);
    if (enabled) for (const source of system) this.#binding.add(source);
  }

  /**
   * Adds `by` (1 unless given) to the counter; it is exposed as `<prefix><name>_total`.
   * Label sets may differ: a label that is missing is empty.
   * @throws `DESCRIBE_INPUT_INVALID` for a wrong name or label, a negative amount, and a name that is another kind of
   * metric.
   */
  incrementCounter(name: string, labels: MetricLabels = NO_LABELS, by = 1): void {
    const store = this.#store;
    if (!store.on) return;
    store.countsUntilLook -= 1;
    if (store.countsUntilLook === 0) store.look();
    store.counter(name, labels)?.increment(labels, by);
  }

  /**
   * Gives a function that counts as `incrementCounter` does, for code that counts one label set often: name and labels
   * are looked up once.
   * @throws `DESCRIBE_INPUT_INVALID` for a wrong name and more than 32 labels; the function itself throws for other
   * wrong labels and amounts.
   */
  bindCounter(name: string, labels: MetricLabels = NO_LABELS): BoundCounter {
    const metric = this.#store.on ? this.#store.counter(name, labels) : undefined;
    return metric?.bind(labels, this.#store) ?? ((by) => this.incrementCounter(name, labels, by));
  }

  /**
   * Sets the gauge.
   * @throws `DESCRIBE_INPUT_INVALID` as `incrementCounter` does, and for a value that is not finite.
   */
  gauge(name: string, value: number, labels: MetricLabels = NO_LABELS): void {
    if (this.#store.on) this.#store.gauge(name, labels)?.set(value, labels);
  }

  /**
   * Records one value. The first call fixes unit and buckets; `ms` is exposed as `<prefix><name>_seconds`.
   * @throws `DESCRIBE_INPUT_INVALID` as `gauge` does, and for another unit or other buckets than at its first use.
   */
  histogram(name: string, value: number, labels: MetricLabels = NO_LABELS, options?: HistogramOptions): void {
    if (!this.#store.on) return;
    this.#store.look();
    this.#store.histogram(name, labels, options)?.observe(value, labels);
  }

  /**
   * Gives a function that records as `histogram` does, for code that records one label set often: name and labels are
   * looked up once.
   * @throws `DESCRIBE_INPUT_INVALID` for a wrong name, unit or bucket and more than 32 labels; the function itself
   * throws for other wrong labels and values.
   */
  bindHistogram(name: string, labels: MetricLabels = NO_LABELS, options?: HistogramOptions): BoundHistogram {
    const metric = this.#store.on ? this.#store.histogram(name, labels, options) : undefined;
    return metric?.bind(labels, this.#store) ?? ((value) => this.histogram(name, value, labels, options));
  }

  /**
   * Starts a timer; `endTimer` records it. Beyond `maxPendingTimers` the oldest timer is evicted.
   * @throws `DESCRIBE_INPUT_INVALID` as `histogram` does.
   */
  startTimer(name: string, labels: MetricLabels = NO_LABELS): TimerId {
    const metric = this.#store.on ? this.#durationOf(name, labels) : undefined;
    const series = metric?.series.find(labels);
    return this.#timers.start({ metric, series, epoch: metric?.series.epoch, labels, startedAtMs: this.#clock.now() });
  }

  /**
   * Records the time since `startTimer` in the histogram `<name>_duration` and returns it, in milliseconds. Returns
   * `undefined` for a timer that has ended already or was evicted.
   */
  endTimer(id: TimerId): number | undefined {
    const timer = this.#timers.take(id);
    if (timer === undefined) return undefined;
    const nowMs = this.#clock.now();
    const elapsedMs = nowMs - timer.startedAtMs;
    const { metric, series } = timer;
    if (metric === undefined || series === undefined || !this.#store.on) return elapsedMs;
    this.#store.moveWindow(nowMs);
    if (timer.epoch === metric.series.epoch) metric.record(elapsedMs, series);
    else metric.observe(elapsedMs, timer.labels);
    return elapsedMs;
  }

  /**
   * Calls `fn` and settles as it does. Its duration goes to the histogram `<name>_duration`; when it throws or rejects,
   * the counter `<name>_errors` grows, too.
   * @throws `DESCRIBE_INPUT_INVALID` as `histogram` does, before `fn` is called.
   */
  time<Value>(name: string, fn: () => PromiseLike<Value>, labels?: MetricLabels): Promise<Value>;
  time<Value>(name: string, fn: () => Value, labels?: MetricLabels): Value;
  time(name: string, fn: () => unknown, labels: MetricLabels = NO_LABELS): unknown {
    const id = this.startTimer(name, labels);
    const end = (failed: boolean) => {
      this.endTimer(id);
      if (failed) callSafely(() => this.incrementCounter(errorsName(name), labels), undefined);
    };
    return observed(fn, end);
  }

  /** Everything recorded, the state of the process and the health checks, as a frozen object that is safe to log. */
  generateReport(): PerformanceReport {
    const nowMs = this.#clock.now();
    this.#store.moveWindow(nowMs);
    const system = this.#system.read();
    const metrics = reportMetrics(this.#store.metrics, nowMs);
    const health = runHealthChecks(this.#thresholds, system, metrics.operations);
    this.#alerts.update(health.checks);
    return deepFreeze({
      generatedAtMs: wallClockNow(),
      uptimeMs: nowMs - this.#startedAtMs,
      windowMs: this.#windowMs,
      health,
      ...metrics,
      system,
      monitor: this.getStats(),
    });
  }

  /** The checks of `alerts`, and the worst of them as `status`. */
  getHealthStatus(): PerformanceHealth {
    return this.generateReport().health;
  }

  /** Counts of the monitor's own state. */
  getStats(): PerformanceMonitorStats {
    const { metrics, overflows } = this.#store;
    return Object.freeze({
      metrics: metrics.length,
      series: metrics.reduce((sum, { series }) => sum + series.size, 0),
      overflows,
      pendingTimers: this.#timers.pending,
      droppedTimers: this.#timers.dropped,
    });
  }

  /** The text that Prometheus scrapes: that of the whole registry. Empty when the monitor is not enabled. */
  async getMetrics(): Promise<string> {
    return this.#enabled ? this.#binding.text() : '';
  }

  /**
   * Calls `listener` whenever a check gets worse or better. While there is a listener, the checks run every
   * `alertIntervalMs`, without keeping the process alive.
   * @throws `DESCRIBE_CLOSED` after `close()`.
   */
  onAlert(listener: Listener<PerformanceAlert>): Unsubscribe {
    this.#refuseWhenClosed();
    return this.#alerts.on(listener);
  }

  /**
   * Sends a report to `logger.info` every `intervalMs`, without keeping the process alive. Call the returned function
   * to stop; a second call of `startReporting` replaces the first.
   * @throws `DESCRIBE_CONFIG_INVALID` for a wrong interval, or without a `logger`.
   * @throws `DESCRIBE_CLOSED` after `close()`.
   */
  startReporting(intervalMs: number): Unsubscribe {
    this.#refuseWhenClosed();
    const issues = [
      ...required(milliseconds(), 'milliseconds')(intervalMs, 'intervalMs'),
      ...required(() => [], 'a logger that takes the reports')(this.#logger, 'logger'),
    ];
    if (issues.length > 0) throw new ConfigError('startReporting', issues);
    this.#stopReports();
    if (this.#enabled) this.#stopReports = setBackgroundInterval(this.#clock, () => this.#sendReport(), intervalMs);
    const stop = () => this.#stopReports();
    return Object.assign(stop, { [Symbol.dispose]: stop });
  }

  /** Stops reports and alerts, takes the metrics out of the user's registry, and records nothing more. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#store.on = false;
    this.#stopReports();
    this.#alerts.close();
    this.#timers.clear();
    this.#system.close();
    this.#binding.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The histogram of an operation's durations. */
  #durationOf(operation: string, labels: MetricLabels): HistogramMetric | undefined {
    const name = this.#durationNames.getOrCreate(operation, () => durationName(operation));
    return this.#store.histogram(name, labels, IN_MS);
  }

  #sendReport(): void {
    const send = () => this.#logger?.info({ report: this.generateReport() }, 'performance report');
    callSafely(send, undefined);
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new ClosedError('PerformanceMonitor');
  }
}
