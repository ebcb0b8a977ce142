import { sleep } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import { arrivalAtMs } from './load-arrivals.ts';
import type { CountedRequests } from './load-tally.ts';

const REFUSED = 429;
/** Longest time that one of its requests may take: a server that hangs must not hold up the end of a phase. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Another tenant of the same limits: sends at an even pace, whatever it is answered. */
export class Neighbour {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  #counted: CountedRequests = { sent: 0, billed: 0, refused: 0 };

  constructor(server: { readonly baseURL: string; readonly apiKey: string }, requestsPerMinute: number, clock: Clock) {
    this.#url = `${server.baseURL}/chat/completions`;
    this.#headers = { authorization: `Bearer ${server.apiKey}`, 'content-type': 'application/json' };
    this.#clock = clock;
    // Ends by `stop()`, whose abort rejects its wait.
    this.#run(requestsPerMinute / 60).catch(() => {});
  }

  /** Sends no more, waits for the answers, and gives its counts. */
  async stop(): Promise<CountedRequests> {
    this.#stop.abort(new DOMException('the phase has ended', 'AbortError'));
    await Promise.all(this.#sending);
    return this.#counted;
  }

  async #run(perSecond: number): Promise<void> {
    const { signal } = this.#stop;
    const startedAtMs = this.#clock.now();
    const ramp = { from: perSecond, to: perSecond, durationMs: 1 };
    for (let index = 0; ; index += 1) {
      const waitMs = startedAtMs + arrivalAtMs(ramp, index) - this.#clock.now();
      await sleep(Math.max(0, waitMs), { clock: this.#clock, signal });
      const sending = this.#send().finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
    }
  }

  async #send(): Promise<void> {
    const messages = [{ role: 'user', content: 'a tenant of the same project' }];
    const body = JSON.stringify({ model: 'gpt-4.1-mini', max_completion_tokens: 300, messages });
    const attempt = new AbortController();
    const timer = this.#clock.setTimeout(() => attempt.abort(), REQUEST_TIMEOUT_MS);
    const request = { method: 'POST', headers: this.#headers, body, signal: attempt.signal };
    const answer = await fetch(this.#url, request).catch(() => undefined);
    await answer?.arrayBuffer().catch(() => undefined);
    this.#clock.clearTimeout(timer);
    const { sent, billed, refused } = this.#counted;
    this.#counted = {
      sent: sent + 1,
      billed: billed + (answer?.ok === true ? 1 : 0),
      refused: refused + (answer?.status === REFUSED ? 1 : 0),
    };
  }
}
