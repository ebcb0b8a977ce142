import { TimeoutError } from '../../errors/index.ts';
import type { Clock, TimerHandle } from '../../internal/clock.ts';

export interface AnswerStreamOptions {
  readonly clock: Clock;
  /** Longest time without a chunk arriving or being read, in milliseconds. */
  readonly idleTimeoutMs: number;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Ends the exchange with this reason. */
  readonly giveUp: (reason: unknown) => void;
}

/** The body of a streamed answer. It arrives at its reader's pace, and fails when nothing moves for too long. */
export class AnswerStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #clock: Clock;
  readonly #idleTimeoutMs: number;
  readonly #giveUp: (reason: unknown) => void;
  #sink!: ReadableStreamDefaultController<Uint8Array>;
  readonly #pause: () => void;
  #timer: TimerHandle | undefined;
  #movedAtMs: number;
  #done = false;

  constructor({ clock, idleTimeoutMs, pause, resume, giveUp }: AnswerStreamOptions) {
    this.#clock = clock;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#giveUp = giveUp;
    this.#pause = pause;
    this.#movedAtMs = clock.now();
    this.readable = new ReadableStream<Uint8Array>({
      start: (sink) => {
        this.#sink = sink;
      },
      pull: () => {
        this.#movedAtMs = this.#clock.now();
        resume();
      },
      cancel: (reason) => {
        this.#finish();
        this.#giveUp(reason);
      },
    });
    this.#watch(idleTimeoutMs);
  }

  push(chunk: Uint8Array): void {
    if (this.#done) return;
    this.#movedAtMs = this.#clock.now();
    this.#sink.enqueue(chunk);
    if ((this.#sink.desiredSize ?? 0) <= 0) this.#pause();
  }

  close(): void {
    if (this.#done) return;
    this.#finish();
    this.#sink.close();
  }

  fail(reason: unknown): void {
    if (this.#done) return;
    this.#finish();
    this.#sink.error(reason);
  }

  #finish(): void {
    this.#done = true;
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One timer for the whole stream, extended by each movement: arming one for every chunk would cost more. */
  #watch(delayMs: number): void {
    this.#timer = this.#clock.setTimeout(() => {
      const restMs = this.#movedAtMs + this.#idleTimeoutMs - this.#clock.now();
      if (restMs > 0) this.#watch(restMs);
      else this.#giveUp(new TimeoutError('the stream stood still and', this.#idleTimeoutMs));
    }, delayMs);
  }
}
