import type { EventLoopUtilization } from 'node:perf_hooks';
import type { Clock } from '../../internal/clock.ts';
import { perfHooks, v8 } from '../../internal/modules/node-modules.ts';

/** The state of the process. Delays and ratios are of the last window at most. */
export interface SystemSnapshot {
  /** How late timers fire, in milliseconds. */
  readonly eventLoopDelayMs: {
    readonly mean: number;
    readonly p50: number;
    readonly p99: number;
    readonly max: number;
    /**
     * The value that health checks judge: the 99th percentile, or the value that at least ten samples exceed where that
     * is less. 0 for the first ten seconds, in which a process loads its modules.
     */
    readonly sustained: number;
  };
  /** Share of the time that the event loop was busy. */
  readonly eventLoopBusyRatio: number;
  /** CPU time of the process over elapsed time; above 1 when several threads work. */
  readonly cpuRatio: number;
  /** CPU time of the process since its start. */
  readonly cpuSeconds: number;
  readonly memory: {
    /** Resident memory; the last one known, or the most so far, while the process has no file descriptor left. */
    readonly rssBytes: number;
    readonly heapUsedBytes: number;
    readonly heapTotalBytes: number;
    /** The heap size at which V8 aborts the process. */
    readonly heapLimitBytes: number;
    /** Buffers and other memory outside of V8's heap that V8 knows of. */
    readonly externalBytes: number;
  };
  readonly uptimeSeconds: number;
}

/** How often the delay is sampled. Node adds it to each sample. */
const RESOLUTION_MS = 20;

/** Longest start of a process, in which loading modules blocks the event loop. */
const START_MS = 10_000;

/** A single late timer, as from loading a module, says nothing about the process. */
const SAMPLES_THAT_COUNT = 10;

const NO_DELAY: SystemSnapshot['eventLoopDelayMs'] = { mean: 0, p50: 0, p99: 0, max: 0, sustained: 0 };

/** CPU and event loop readings at the start of the window. */
interface Mark {
  readonly atMs: number;
  readonly cpu: NodeJS.CpuUsage;
  readonly loop: EventLoopUtilization;
}

/** Reads the event loop, CPU and memory of the process. Its sampling timer never keeps the process alive. */
export class SystemMetrics {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #delay = perfHooks().monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #mark: Mark;
  #rssBytes: number | undefined;
  /** Undefined after the start. */
  #startEndsAtMs: number | undefined;

  /** With `sampling` off, the delays are 0 and no timer starts. */
  constructor(clock: Clock, windowMs: number, sampling: boolean) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#mark = this.#takeMark();
    if (!sampling) return;
    this.#delay.enable();
    this.#startEndsAtMs = this.#mark.atMs + START_MS;
  }

  read(): SystemSnapshot {
    const now = this.#takeMark();
    const elapsedMs = now.atMs - this.#mark.atMs;
    const usedMs = (cpuMicroseconds(now.cpu) - cpuMicroseconds(this.#mark.cpu)) / 1000;
    const heap = v8().getHeapStatistics();
    if (this.#startEndsAtMs !== undefined && now.atMs >= this.#startEndsAtMs) {
      // Forgets the delays of the time in which modules were loaded.
      this.#startEndsAtMs = undefined;
      this.#delay.reset();
    }
    const snapshot: SystemSnapshot = {
      eventLoopDelayMs: this.#readDelay(),
      eventLoopBusyRatio: perfHooks().performance.eventLoopUtilization(now.loop, this.#mark.loop).utilization || 0,
      cpuRatio: elapsedMs > 0 ? usedMs / elapsedMs : 0,
      cpuSeconds: cpuMicroseconds(now.cpu) / 1e6,
      memory: {
        rssBytes: this.#readRss(),
        heapUsedBytes: heap.used_heap_size,
        heapTotalBytes: heap.total_heap_size,
        heapLimitBytes: heap.heap_size_limit,
        externalBytes: heap.external_memory,
      },
      uptimeSeconds: process.uptime(),
    };
    if (elapsedMs >= this.#windowMs) {
      this.#mark = now;
      this.#delay.reset();
    }
    return snapshot;
  }

  close(): void {
    this.#delay.disable();
  }

  /** On Linux the resident memory is read from a file. Without a free descriptor, `rss` throws EMFILE. */
  #readRss(): number {
    try {
      this.#rssBytes = process.memoryUsage.rss();
    } catch {
      this.#rssBytes ??= process.resourceUsage().maxRSS * 1024;
    }
    return this.#rssBytes;
  }

  #takeMark(): Mark {
    return {
      atMs: this.#clock.now(),
      cpu: process.cpuUsage(),
      loop: perfHooks().performance.eventLoopUtilization(),
    };
  }

  #readDelay(): SystemSnapshot['eventLoopDelayMs'] {
    const delay = this.#delay;
    if (delay.count === 0) return NO_DELAY;
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    return {
      mean: late(delay.mean),
      p50: late(delay.percentile(50)),
      p99: late(delay.percentile(99)),
      max: late(delay.max),
      sustained: this.#startEndsAtMs === undefined ? late(delay.percentile(sustainedPercentile(delay.count))) : 0,
    };
  }
}

/** The percentile below which all samples lie but the highest hundredth, or the ten highest where those are more. */
const sustainedPercentile = (count: number): number =>
  Math.min(99, Math.max(50, 100 * (1 - SAMPLES_THAT_COUNT / count)));

const cpuMicroseconds = ({ user, system }: NodeJS.CpuUsage): number => user + system;
