import { childController, sleep } from '../../internal/async/signals.ts';
import { callSafely } from '../../internal/async/user-callback.ts';
import { type Clock, wallClockNow } from '../../internal/clock.ts';
import { deepFreeze } from '../../internal/deep-freeze.ts';
import { nextTurn } from '../fake-openai/real-timers.ts';
import { judge } from './judge-load.ts';
import { arrivalAtMs, arrivalCount } from './load-arrivals.ts';
import type { LoadPhaseResult, LoadResult } from './load-figures.ts';
import type { LoadPhase, LoadScenario } from './load-scenario.ts';
import { LoadSender, type SenderSettings } from './load-sender.ts';
import { type CountedRequests, LoadTally } from './load-tally.ts';
import type { LoadThresholds } from './load-thresholds.ts';
import { MemoryPeaks } from './memory-peaks.ts';
import type { ServerControl } from './server-control.ts';

/** How far a run has come. */
export interface LoadProgress {
  readonly scenario: string;
  readonly phase: string;
  /** Time in phases; waits between them do not count. */
  readonly elapsedMs: number;
  /** Length of all phases. */
  readonly durationMs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly inFlight: number;
  /** 95th percentile of the successful calls so far, in milliseconds. */
  readonly p95Ms: number;
}

export interface LoadRunSettings extends Omit<SenderSettings, 'signal' | 'onSuccess'> {
  readonly server: ServerControl;
  readonly thresholds: LoadThresholds;
  readonly seed: number;
  readonly drainTimeoutMs: number;
  readonly progressIntervalMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: LoadProgress) => void) | undefined;
  readonly onPhaseEnd: ((phase: LoadPhaseResult) => void | Promise<void>) | undefined;
  readonly clock: Clock;
}

const MEMORY_INTERVAL_MS = 250;
/** How long aborted calls may take to settle. */
const ABORT_GRACE_MS = 1000;
const FULL_POLL_MS = 5;
/** Calls that may start in one turn of the event loop. */
const MAX_CALLS_A_TURN = 64;
/** Longest time that starting calls may hold the thread before timers and sockets run again. */
const MAX_TURN_MS = 4;

interface PhaseRun {
  readonly phase: LoadPhase;
  /** Where its calls are counted: its own tally first. */
  readonly tallies: readonly [LoadTally, ...LoadTally[]];
  readonly startedAtMs: number;
}

/** A phase that has ended, and its result, which is final once its calls have ended too. */
interface EndedPhase {
  readonly phase: LoadPhase;
  readonly result: LoadPhaseResult | (() => LoadPhaseResult);
}

/** Sends the load of one scenario, phase by phase. */
export class LoadRun {
  readonly #scenario: LoadScenario;
  readonly #settings: LoadRunSettings;
  readonly #stop: ReturnType<typeof childController>;
  readonly #sender: LoadSender;
  readonly #memory = new MemoryPeaks();
  readonly #whole: LoadTally;
  readonly #ended: EndedPhase[] = [];
  #current: PhaseRun | undefined;
  #turnStartedAtMs = 0;
  #callsInTurn = 0;

  constructor(scenario: LoadScenario, settings: LoadRunSettings) {
    this.#scenario = scenario;
    this.#settings = settings;
    this.#stop = childController(settings.signal);
    const onSuccess = () => {
      for (const tally of this.#current?.tallies ?? []) tally.completed();
    };
    this.#sender = new LoadSender({ ...settings, onSuccess, signal: this.#stop.signal });
    this.#whole = new LoadTally();
  }

  /** @throws the reason of the run's signal, and what a server threw that could not be changed */
  async run(): Promise<LoadResult> {
    const { server, signal } = this.#settings;
    signal?.throwIfAborted();
    const startedAt = new Date(wallClockNow()).toISOString();
    const stopTicking = this.#tick();
    try {
      await server.begin();
      const { phases } = this.#scenario;
      for (const phase of phases) await this.#runPhase(phase, phase.drain === true || phase === phases.at(-1));
      this.#memory.sample();
      return this.#result(startedAt, server.total());
    } finally {
      stopTicking();
      this.#stop.abort(signal?.aborted ? signal.reason : new DOMException('the load has ended', 'AbortError'));
      this.#stop.detach();
      await server.restore();
    }
  }

  async #runPhase(phase: LoadPhase, mustDrain: boolean): Promise<void> {
    const { clock, server, onPhaseEnd } = this.#settings;
    await server.enter(phase);
    const tally = new LoadTally();
    const startedAtMs = clock.now();
    const run: PhaseRun = { phase, tallies: phase.counted === false ? [tally] : [tally, this.#whole], startedAtMs };
    for (const each of run.tallies) each.begin(startedAtMs);
    this.#current = run;
    if (phase.rate === undefined) await this.#closedLoop(run);
    else await this.#openLoop(run);
    if (mustDrain) await this.#drain();
    for (const each of run.tallies) each.pause(clock.now());
    const counted = await server.lap(phase.counted !== false);
    const resultOf = () => ({ name: phase.name, ...tally.figures(counted, { checked: this.#isChecked }) });
    const result = resultOf();
    // A long load has many phases: the counts of one whose calls have ended are not kept.
    this.#current = undefined;
    this.#ended.push({ phase, result: mustDrain ? result : resultOf });
    await onPhaseEnd?.(result);
  }

  /** Starts each call when it is due, whatever became of the earlier ones. */
  async #openLoop({ phase, tallies, startedAtMs }: PhaseRun): Promise<void> {
    const { rate = 1, durationMs } = phase;
    const ramp = { ...(typeof rate === 'number' ? { from: rate, to: rate } : rate), durationMs };
    for (let index = 0; index < arrivalCount(ramp); index += 1) {
      const dueAtMs = startedAtMs + arrivalAtMs(ramp, index);
      await this.#until(dueAtMs);
      void this.#sender.start({ dueAtMs, tallies, isOnSchedule: true });
    }
    await this.#until(startedAtMs + durationMs);
  }

  /** Keeps as many calls in flight as the phase says. */
  async #closedLoop({ phase, tallies, startedAtMs }: PhaseRun): Promise<void> {
    const { clock } = this.#settings;
    const { concurrency = 1, durationMs } = phase;
    const endsAtMs = startedAtMs + durationMs;
    const lane = async () => {
      while (clock.now() < endsAtMs && !this.#stop.signal.aborted) {
        // No rate makes a call due here, so that none fails for want of capacity.
        if (this.#sender.isFull) await sleep(FULL_POLL_MS, { clock, signal: this.#stop.signal });
        else await this.#sender.start({ dueAtMs: clock.now(), tallies, isOnSchedule: false });
        await this.#yieldThread();
      }
    };
    // An abort ends the lanes, and this method by `until`.
    for (let started = 0; started < concurrency; started += 1) lane().catch(() => {});
    await this.#until(endsAtMs);
  }

  async #until(atMs: number): Promise<void> {
    const { clock } = this.#settings;
    const waitMs = atMs - clock.now();
    if (waitMs <= 0) return this.#yieldThread();
    await sleep(waitMs, { clock, signal: this.#stop.signal });
    this.#turnStartedAtMs = clock.now();
  }

  /** Calls that are all due, or that settle at once, would otherwise starve timers and sockets. */
  async #yieldThread(): Promise<void> {
    const { clock } = this.#settings;
    this.#stop.signal.throwIfAborted();
    this.#callsInTurn += 1;
    if (this.#callsInTurn < MAX_CALLS_A_TURN && clock.now() - this.#turnStartedAtMs < MAX_TURN_MS) return;
    this.#callsInTurn = 0;
    await nextTurn();
    this.#turnStartedAtMs = clock.now();
  }

  /** Waits for the calls in flight; aborts those that take too long, and gives up those that do not settle then. */
  async #drain(): Promise<void> {
    await this.#sender.drain(this.#settings.drainTimeoutMs);
    if (this.#sender.inFlight === 0) return;
    this.#sender.abort(new DOMException('the call outlived the load', 'TimeoutError'));
    await this.#sender.drain(ABORT_GRACE_MS);
    this.#sender.giveUp();
  }

  #result(startedAt: string, counted: CountedRequests | undefined): LoadResult {
    const { seed, thresholds } = this.#settings;
    const whole = this.#whole.figures(counted, { checked: this.#isChecked, memory: this.#memory });
    const phases = this.#ended.map(({ result }) => (typeof result === 'function' ? result() : result));
    const verdicts = [
      ...judge(whole, thresholds),
      ...this.#ended.flatMap(({ phase }, index) =>
        judge(phases[index] as LoadPhaseResult, phase.thresholds ?? {}, phase.name),
      ),
    ];
    const passed = verdicts.every(({ status }) => status !== 'missed');
    return deepFreeze({
      version: 1,
      scenario: this.#scenario.name,
      startedAt,
      seed,
      passed,
      ...whole,
      phases,
      verdicts,
    });
  }

  get #isChecked(): boolean {
    return this.#settings.expected !== undefined;
  }

  /** Samples the memory and reports progress until the returned function is called. */
  #tick(): () => void {
    const { clock, onProgress, progressIntervalMs } = this.#settings;
    const repeat = (everyMs: number, work: () => void) => {
      const again = () => {
        work();
        timer = clock.setTimeout(again, everyMs);
      };
      let timer = clock.setTimeout(again, everyMs);
      return () => clock.clearTimeout(timer);
    };
    const stops = [repeat(MEMORY_INTERVAL_MS, () => this.#memory.sample())];
    if (onProgress !== undefined) {
      stops.push(repeat(progressIntervalMs, () => callSafely(onProgress, this.#progress())));
    }
    return () => {
      for (const stop of stops) stop();
    };
  }

  #progress(): LoadProgress {
    const { succeeded, failed, p95Ms } = this.#whole;
    const { phases } = this.#scenario;
    const { phase, startedAtMs } = this.#current ?? {};
    const earlierMs = sum(phases.slice(0, this.#ended.length));
    const inPhaseMs = startedAtMs === undefined ? 0 : this.#settings.clock.now() - startedAtMs;
    return {
      scenario: this.#scenario.name,
      phase: phase?.name ?? this.#ended.at(-1)?.phase.name ?? '',
      elapsedMs: Math.round(earlierMs + Math.min(phase?.durationMs ?? 0, inPhaseMs)),
      durationMs: sum(phases),
      succeeded,
      failed,
      inFlight: this.#sender.inFlight,
      p95Ms: Math.round(p95Ms),
    };
  }
}

const sum = (phases: readonly LoadPhase[]): number => phases.reduce((total, { durationMs }) => total + durationMs, 0);
