import { childController, raceSignal, sleep } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import type { LoadCall, LoadCalls } from './load-calls.ts';
import type { LoadTally, SettledCall } from './load-tally.ts';
import type { LoadAnswer, LoadCallOptions, LoadTarget } from './load-target.ts';

export interface SenderSettings {
  readonly targets: readonly LoadTarget[];
  readonly tenantKeys: readonly string[];
  readonly calls: LoadCalls;
  /** The right description of an image; absent where nobody knows it. */
  readonly expected: ((image: Uint8Array) => string) | undefined;
  readonly maxInFlight: number;
  /** Is called after each success. */
  readonly onSuccess: () => void;
  readonly clock: Clock;
  /** Aborts every call, and the waits for them. */
  readonly signal: AbortSignal;
}

/** A call that has begun and is not counted yet. */
interface OpenCall {
  readonly dueAtMs: number;
  readonly tallies: readonly LoadTally[];
}

/** When a call is due, where it is counted, and whether a named rate made it due. */
export interface DueCall extends OpenCall {
  readonly isOnSchedule: boolean;
}

type Outcome = SettledCall['outcome'];

/** Starts calls and counts how each ends. */
export class LoadSender {
  readonly #settings: SenderSettings;
  readonly #open = new Set<OpenCall>();
  readonly #tenants = new Map<string, LoadTarget>();
  #started = 0;
  #drained = () => {};
  #controller: ReturnType<typeof childController>;

  constructor(settings: SenderSettings) {
    this.#settings = settings;
    this.#controller = childController(settings.signal);
  }

  get inFlight(): number {
    return this.#open.size;
  }

  /** Whether a further call would be beyond `maxInFlight`. */
  get isFull(): boolean {
    return this.#open.size >= this.#settings.maxInFlight;
  }

  /** Starts the next call. Resolves when it is counted; never rejects. */
  async start(due: DueCall): Promise<void> {
    const { clock, calls } = this.#settings;
    const index = this.#started;
    this.#started += 1;
    const startedAtMs = clock.now();
    const startDelayMs = due.isOnSchedule ? startedAtMs - due.dueAtMs : undefined;
    if (this.isFull) {
      this.#count(due, { startDelayMs, outcome: { error: { code: 'NOT_STARTED' } } });
      return;
    }
    this.#open.add(due);
    let firstDeltaAtMs: number | undefined;
    const outcome = await this.#send(index, calls.at(index), () => {
      firstDeltaAtMs ??= clock.now();
    });
    // A call that did not settle in time was counted then.
    if (!this.#open.delete(due)) return;
    const firstDeltaMs = firstDeltaAtMs === undefined ? undefined : firstDeltaAtMs - due.dueAtMs;
    this.#count(due, { startDelayMs, firstDeltaMs, outcome });
    if (this.#open.size === 0) this.#drained();
  }

  /** Resolves when no call is in flight, or after `timeoutMs`; rejects with the reason of the signal. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#open.size === 0) return;
    const { clock, signal } = this.#settings;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    const timer = new AbortController();
    const timeout = sleep(timeoutMs, { clock, signal: timer.signal }).catch(() => {});
    await raceSignal(Promise.race([drained, timeout]), signal).finally(() => timer.abort());
  }

  /** Aborts the calls in flight, and none that begins later. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
    this.#controller.detach();
    this.#controller = childController(this.#settings.signal);
  }

  /** Counts what is still in flight as failed, and ignores how it ends. */
  giveUp(): void {
    for (const call of this.#open) this.#count(call, { outcome: { error: { code: 'UNSETTLED' } } });
    this.#open.clear();
  }

  #count(
    { dueAtMs, tallies }: OpenCall,
    settled: Pick<SettledCall, 'outcome' | 'startDelayMs' | 'firstDeltaMs'>,
  ): void {
    const durationMs = this.#settings.clock.now() - dueAtMs;
    for (const tally of tallies) tally.count({ ...settled, durationMs });
    if ('answer' in settled.outcome) this.#settings.onSuccess();
  }

  async #send(index: number, call: LoadCall, onDelta: () => void): Promise<Outcome> {
    const { expected } = this.#settings;
    const { signal } = this.#controller;
    try {
      const target = this.#targetOf(index, call.tenant);
      const options = { ...call.options, signal };
      const answer =
        call.method === 'stream'
          ? await read(target, call, options, onDelta)
          : await target.describe(call.image, options);
      if (expected === undefined) return { answer };
      return { answer, isWrong: answer.description !== expected(call.image) };
    } catch (error) {
      return { error };
    }
  }

  #targetOf(index: number, tenant: number | undefined): LoadTarget {
    const { targets, tenantKeys } = this.#settings;
    const number = index % targets.length;
    const target = targets[number] as LoadTarget;
    if (tenant === undefined) return target;
    const name = `${number} ${tenant}`;
    const known = this.#tenants.get(name) ?? (target.withKey as (key: string) => LoadTarget)(tenantKeys[tenant] ?? '');
    this.#tenants.set(name, known);
    return known;
  }
}

/** Reads a stream to its end. */
async function read(
  target: LoadTarget,
  call: LoadCall,
  options: LoadCallOptions,
  onDelta: () => void,
): Promise<LoadAnswer> {
  const stream = (target.stream as Required<LoadTarget>['stream']).call(target, call.image, options);
  for await (const _delta of stream) onDelta();
  return stream.result;
}
