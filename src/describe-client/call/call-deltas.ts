import { UpstreamError } from '../../errors/upstream-error.ts';
import { Deferred } from '../../internal/async/deferred.ts';
import type { DeltaLog } from '../attempt/delta-log.ts';

/** The deltas of one call: those of the answer that it follows, and then the rest of its description. */
export class CallDeltas {
  #log: DeltaLog | undefined;
  #unfollow: (() => void) | undefined;
  #index = 0;
  /** The part of the description that no answer delivered, such as all of a cached one. */
  #rest = '';
  #end: { readonly error?: unknown } | undefined;
  #wait: Deferred<void> | undefined;

  /** Whether a part of the answer was delivered. No other answer may take its place then. */
  get hasBegun(): boolean {
    return this.#log?.hasBegun === true;
  }

  /** Follows the answer from its start, in place of one that delivered nothing. */
  follow(log: DeltaLog): void {
    if (this.#end !== undefined || this.hasBegun || log === this.#log) return;
    this.#unfollow?.();
    this.#log = log;
    this.#unfollow = log.follow(this.#wake);
    if (log.hasBegun) this.#wake();
  }

  /** The call has this description. */
  complete(description: string): void {
    const { text = '' } = this.#log ?? {};
    const isWhole = description.startsWith(text);
    if (isWhole) this.#rest = description.slice(text.length);
    this.#finish(isWhole ? {} : { error: notTheDescription() });
  }

  /** The call has failed. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  /** The next delta of the answer, where it has arrived. */
  take(): string | undefined {
    const delta = this.#log?.at(this.#index);
    if (delta !== undefined) this.#index += 1;
    return delta;
  }

  /**
   * The next delta; undefined after the last one.
   * @throws the error of the call, once every delta was read.
   */
  async next(): Promise<string | undefined> {
    for (;;) {
      const delta = this.take();
      if (delta !== undefined) return delta;
      if (this.#end !== undefined) return this.#last(this.#end);
      this.#wait ??= new Deferred();
      await this.#wait.promise;
    }
  }

  #last(end: { readonly error?: unknown }): string | undefined {
    const rest = this.#rest;
    this.#rest = '';
    if (rest !== '') return rest;
    if ('error' in end) throw end.error;
    return undefined;
  }

  #finish(end: { readonly error?: unknown }): void {
    if (this.#end !== undefined) return;
    this.#unfollow?.();
    this.#end = end;
    this.#wake();
  }

  readonly #wake = (): void => {
    this.#wait?.resolve();
    this.#wait = undefined;
  };
}

/** Thoughts without an opening tag are known as thoughts only after they were delivered. */
const notTheDescription = (): UpstreamError =>
  new UpstreamError(
    'DESCRIBE_RESPONSE_INVALID',
    'the deltas hold more than the description, such as thoughts without an opening tag; use `result`, or `describe()`',
    { status: 200 },
  );
