/*
 * A second breaker, to check the first one against. It keeps the whole history and applies the rules to it anew each
 * time: slow, but close to the words of the docs.
 */

export interface Settings {
  readonly failureThreshold: number;
  readonly failureDecayMs: number;
  readonly errorThresholdPercentage: number;
  readonly minimumCalls: number;
  readonly windowMs?: number | undefined;
  readonly windowCalls?: number | undefined;
  readonly resetTimeoutMs: number;
  readonly maxResetTimeoutMs?: number | undefined;
  readonly slowCallDurationMs?: number | undefined;
  readonly slowCallRatio?: number | undefined;
  readonly halfOpenMaxCalls: number;
  readonly halfOpenSuccessRatio: number;
  readonly halfOpenTimeoutMs: number;
  readonly timeoutMs?: number | undefined;
}

export type Ending = 'success' | 'failure' | 'asks' | 'neutral' | 'given-up';

interface ModelCall {
  readonly stay: number;
  readonly startedAtMs: number;
  readonly endsAtMs: number;
}

export const ASKED_MS = 700;

export class Model {
  nowMs = 0;
  state = 'CLOSED';
  readonly calls = new Map<number, ModelCall>();
  readonly totals = {
    succeeded: 0,
    failed: 0,
    ignored: 0,
    slow: 0,
    timedOut: 0,
    late: 0,
    rejected: 0,
    opened: 0,
  };
  breaks = 0;
  outcomes: { readonly atMs: number; readonly failed: boolean; readonly slow: boolean }[] = [];
  probes: boolean[] = [];
  untilMs = 0;
  #stay = 0;
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get runningProbes(): number {
    if (this.state !== 'HALF_OPEN') return 0;
    return [...this.calls.values()].filter(({ stay }) => stay === this.#stay).length;
  }

  start(id: number): boolean {
    const { halfOpenMaxCalls, halfOpenTimeoutMs, timeoutMs = Number.POSITIVE_INFINITY } = this.#settings;
    const admitted =
      this.state === 'CLOSED' ||
      (this.state === 'HALF_OPEN' && this.runningProbes + this.probes.length < halfOpenMaxCalls);
    if (!admitted) {
      this.totals.rejected += 1;
      return false;
    }
    const limitMs = this.state === 'HALF_OPEN' ? Math.min(halfOpenTimeoutMs, timeoutMs) : timeoutMs;
    this.calls.set(id, { stay: this.#stay, startedAtMs: this.nowMs, endsAtMs: this.nowMs + limitMs });
    return true;
  }

  end(id: number, ending: Ending | 'timeout'): void {
    const call = this.calls.get(id);
    if (call === undefined) return;
    this.calls.delete(id);
    const { slowCallDurationMs = Number.POSITIVE_INFINITY } = this.#settings;
    const neutral = ending === 'neutral' || ending === 'given-up';
    const failed = ending !== 'success' && !neutral;
    const slow = !neutral && this.nowMs - call.startedAtMs >= slowCallDurationMs;
    this.totals[neutral ? 'ignored' : failed ? 'failed' : 'succeeded'] += 1;
    if (slow) this.totals.slow += 1;
    if (ending === 'timeout') this.totals.timedOut += 1;
    if (call.stay !== this.#stay) this.totals.late += 1;
    else if (!neutral && this.state === 'CLOSED') this.#weigh(failed, slow, ending);
    else if (!neutral && this.state === 'HALF_OPEN') this.#judge(!failed && !slow, ending);
  }

  open(): void {
    if (this.state !== 'OPEN') this.#break(undefined);
  }

  isolate(): void {
    if (this.state !== 'ISOLATED') this.#enter('ISOLATED');
  }

  close(): void {
    this.breaks = 0;
    this.outcomes = [];
    this.#enter('CLOSED');
  }

  advance(durationMs: number): void {
    const targetMs = this.nowMs + durationMs;
    for (;;) {
      const due = [...this.calls].filter(([, { endsAtMs }]) => endsAtMs <= targetMs);
      due.sort(([, left], [, right]) => left.endsAtMs - right.endsAtMs);
      const [next] = due;
      const nextMs = next?.[1].endsAtMs ?? Number.POSITIVE_INFINITY;
      if (this.state === 'OPEN' && this.untilMs <= Math.min(targetMs, nextMs)) {
        this.nowMs = this.untilMs;
        this.#enter('HALF_OPEN');
      } else if (next !== undefined) {
        this.nowMs = nextMs;
        this.end(next[0], 'timeout');
      } else break;
    }
    this.nowMs = targetMs;
  }

  window() {
    const { windowMs = 60_000, windowCalls } = this.#settings;
    const sliceOf = (timeMs: number) => Math.floor(timeMs / (windowMs / 10));
    const seen =
      windowCalls === undefined
        ? this.outcomes.filter(({ atMs }) => sliceOf(atMs) > sliceOf(this.nowMs) - 10)
        : this.outcomes.slice(-windowCalls);
    return {
      calls: seen.length,
      failures: seen.filter(({ failed }) => failed).length,
      slowCalls: seen.filter(({ slow }) => slow).length,
    };
  }

  run(): number {
    let length = 0;
    let lastMs = 0;
    const decayed = (atMs: number) => Math.max(0, length - Math.floor((atMs - lastMs) / this.#settings.failureDecayMs));
    for (const { atMs, failed } of this.outcomes) {
      length = failed ? decayed(atMs) + 1 : 0;
      if (failed) lastMs = atMs;
    }
    return decayed(this.nowMs);
  }

  #weigh(failed: boolean, slow: boolean, ending: Ending | 'timeout'): void {
    const { failureThreshold, minimumCalls, errorThresholdPercentage, slowCallRatio = 0.5 } = this.#settings;
    this.outcomes.push({ atMs: this.nowMs, failed, slow });
    if (!failed && !slow) return;
    const { calls, failures, slowCalls } = this.window();
    const ratioBroken = failures / calls >= errorThresholdPercentage / 100;
    const slowBroken = slowCalls > 0 && slowCalls / calls >= slowCallRatio;
    if ((failed && this.run() >= failureThreshold) || (calls >= minimumCalls && (ratioBroken || slowBroken))) {
      this.#break(ending);
    }
  }

  #judge(good: boolean, ending: Ending | 'timeout'): void {
    const { halfOpenMaxCalls, halfOpenSuccessRatio } = this.#settings;
    this.probes.push(good);
    const needed = Math.max(1, Math.ceil(halfOpenMaxCalls * halfOpenSuccessRatio));
    const bad = this.probes.filter((one) => !one).length;
    if (this.probes.length - bad >= needed) this.close();
    else if (halfOpenMaxCalls - bad < needed) this.#break(ending);
  }

  #break(ending: Ending | 'timeout' | undefined): void {
    const { resetTimeoutMs, maxResetTimeoutMs } = this.#settings;
    if (ending !== undefined) this.breaks += 1;
    this.totals.opened += 1;
    const doublings = Math.max(0, this.breaks - 1);
    const grown = maxResetTimeoutMs === undefined ? resetTimeoutMs : resetTimeoutMs * 2 ** doublings;
    const lengthMs = Math.min(ending === 'asks' ? ASKED_MS : grown, maxResetTimeoutMs ?? 3_600_000);
    this.untilMs = this.nowMs + lengthMs;
    this.#enter('OPEN');
  }

  #enter(state: string): void {
    this.state = state;
    this.#stay += 1;
    this.probes = [];
    if (state !== 'CLOSED') this.outcomes = [];
  }
}
