import { LatencyHistogram } from './latency-histogram.ts';
import type { LoadFigures, LoadRequests } from './load-figures.ts';
import type { LoadAnswer } from './load-target.ts';
import type { MemoryPeaks } from './memory-peaks.ts';

/** How one call ended. */
export interface SettledCall {
  readonly durationMs: number;
  /** How late it began; absent where no rate is named. */
  readonly startDelayMs?: number | undefined;
  readonly firstDeltaMs?: number | undefined;
  readonly outcome: { readonly answer: LoadAnswer; readonly isWrong?: boolean } | { readonly error: unknown };
}

/** Requests that a server counted in the time of a tally. */
export interface CountedRequests {
  readonly sent: number;
  readonly billed: number;
  readonly refused: number;
  readonly mostConnections?: number;
}

/** Codes of errors are counted up to this number; further ones count as `OTHER`. */
const MAX_CODES = 50;
const HITS = ['memory', 'redis'];

const add = (counts: Map<string, number>, name: string) => {
  const key = counts.has(name) || counts.size < MAX_CODES ? name : 'OTHER';
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The code of an error, or else its name. */
export function codeOf(error: unknown): string {
  if (!isObject(error)) return typeof error;
  const { code, name } = error;
  if (typeof code === 'string' && code !== '') return code.slice(0, 64);
  return typeof name === 'string' && name !== '' ? name.slice(0, 64) : 'Error';
}

/** Counts the calls of a phase, or of a whole scenario, in bounded memory. */
export class LoadTally {
  readonly #succeeded = new LatencyHistogram();
  readonly #firstDeltas = new LatencyHistogram();
  readonly #startDelays = new LatencyHistogram();
  readonly #errors = new Map<string, number>();
  readonly #sources = new Map<string, number>();
  #calls = 0;
  #failed = 0;
  #wrong = 0;
  #slowestMs = 0;
  #activeMs = 0;
  #begunAtMs: number | undefined;
  #completed = 0;
  #attempts = 0;
  #billed = 0;
  #tokens = 0;
  #costUsd = 0;

  /** Time counts from now on. */
  begin(nowMs: number): void {
    this.#begunAtMs = nowMs;
  }

  /** Time does not count until the next `begin`. */
  pause(nowMs: number): void {
    this.#activeMs += nowMs - (this.#begunAtMs ?? nowMs);
    this.#begunAtMs = undefined;
  }

  /** Counts a success in this time, whenever its call was due. */
  completed(): void {
    this.#completed += 1;
  }

  get succeeded(): number {
    return this.#succeeded.count;
  }

  get failed(): number {
    return this.#failed;
  }

  /** 95th percentile of the successful calls so far. */
  get p95Ms(): number {
    return this.#succeeded.percentile(0.95);
  }

  count({ durationMs, startDelayMs, firstDeltaMs, outcome }: SettledCall): void {
    this.#calls += 1;
    this.#slowestMs = Math.max(this.#slowestMs, durationMs);
    if (startDelayMs !== undefined) this.#startDelays.record(startDelayMs);
    if (firstDeltaMs !== undefined) this.#firstDeltas.record(firstDeltaMs);
    if ('error' in outcome) {
      this.#failed += 1;
      add(this.#errors, codeOf(outcome.error));
      if (isObject(outcome.error)) this.#addCost(outcome.error as Partial<LoadAnswer>);
      return;
    }
    this.#succeeded.record(durationMs);
    add(this.#sources, outcome.answer.source ?? 'unknown');
    if (outcome.isWrong === true) this.#wrong += 1;
    this.#addCost(outcome.answer);
  }

  /** The cost of a call by its own account; an image of a pack counts its part of the requests. */
  #addCost({ usage, costUsd, explain }: Partial<LoadAnswer>): void {
    if (usage !== undefined) this.#billed += 1;
    this.#tokens += usage?.totalTokens ?? 0;
    this.#costUsd += costUsd ?? 0;
    if (explain !== undefined) this.#attempts += explain.attempts.length / Math.max(1, explain.batchSize);
  }

  figures(
    counted?: CountedRequests,
    options: { readonly checked?: boolean; readonly memory?: MemoryPeaks } = {},
  ): LoadFigures {
    const calls = this.#calls;
    const succeeded = this.#succeeded.count;
    const durationMs = this.#activeMs;
    const hits = HITS.reduce((sum, source) => sum + (this.#sources.get(source) ?? 0), 0);
    const latencyMs = this.#succeeded.summary();
    const firstDeltaMs = this.#firstDeltas.summary();
    const startDelayMs = this.#startDelays.summary();
    return {
      calls,
      succeeded,
      failed: this.#failed,
      durationMs: Math.round(durationMs),
      throughput: durationMs > 0 ? rounded((1000 * this.#completed) / durationMs) : 0,
      errorRate: calls > 0 ? rounded(this.#failed / calls) : 0,
      errors: Object.fromEntries(this.#errors),
      sources: Object.fromEntries(this.#sources),
      ...(succeeded > 0 && { hitRatio: rounded(hits / succeeded) }),
      ...(latencyMs && { latencyMs }),
      ...(calls > 0 && { slowestMs: rounded(this.#slowestMs) }),
      ...(firstDeltaMs && { firstDeltaMs }),
      ...(startDelayMs && { startDelayMs }),
      ...(options.checked === true && { wrongAnswers: this.#wrong }),
      requests: this.#requests(counted),
      ...(options.memory && { memory: options.memory.peaks() }),
    };
  }

  #requests(counted: CountedRequests | undefined): LoadRequests {
    const sent = counted?.sent ?? Math.round(this.#attempts);
    return {
      sent,
      perCall: this.#calls > 0 ? rounded(sent / this.#calls) : 0,
      billed: counted?.billed ?? this.#billed,
      ...(counted && { refused: counted.refused, refusedRatio: sent > 0 ? rounded(counted.refused / sent) : 0 }),
      ...(counted?.mostConnections !== undefined && { mostConnections: counted.mostConnections }),
      tokens: this.#tokens,
      costUsd: Math.round(this.#costUsd * 1e9) / 1e9,
    };
  }
}

/** To four digits after the point: more would be noise. */
const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
