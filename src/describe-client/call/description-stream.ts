import { InputError } from '../../errors/input-error.ts';
import { CallDeltas } from './call-deltas.ts';
import type { DescribeResult } from './describe-result.ts';

/** The call behind a stream. It ends when the signal aborts. */
export type StreamedCall<Result> = (deltas: CallDeltas, ownerSignal: AbortSignal) => Promise<Result>;

/**
 * A description as it is written: an async iterable of its parts, in their order, with a promise of the whole.
 *
 * The call starts at once, and goes on whether or not its deltas are read: each is kept until then. Joined they
 * are exactly the `description` of the result; with a `schema` they are its JSON text. A description that is cached, or
 * that another process makes, comes as one delta.
 *
 * Leaving the iteration early ends the call: the request is aborted, unless another call waits for the same answer.
 *
 * @example
 * ```ts
 * import { createDescribeClient } from '@describe-it/sdk';
 *
 * const client = createDescribeClient({ apiKey: 'sk-…' });
 * const stream = client.stream({ file: 'cat.jpg', prompt: 'What is in the picture?' });
 * for await (const delta of stream) process.stdout.write(delta);
 * const { usage, costUsd } = await stream.result;
 * console.log(usage, costUsd);
 * await client.close();
 * ```
 */
export class DescriptionStream<Data = unknown, Result extends DescribeResult<Data> = DescribeResult<Data>>
  implements AsyncIterable<string>
{
  /**
   * The result, as `describe` gives it. Rejects as `describe` does, and with an `AbortError` when the iteration was
   * left early. Its rejection is never unhandled.
   */
  readonly result: Promise<Result>;
  readonly #deltas = new CallDeltas();
  readonly #owner = new AbortController();
  #isTaken = false;
  #isLeft = false;

  /** @internal made by a client */
  constructor(call: StreamedCall<Result>) {
    const deltas = this.#deltas;
    this.result = call(deltas, this.#owner.signal).then(
      (result) => {
        deltas.complete(result.description);
        return result;
      },
      (error: unknown) => {
        deltas.fail(error);
        throw error;
      },
    );
    // The iteration throws the same error, and a program may want only one of the two.
    this.result.catch(() => {});
  }

  /**
   * Iterates over the deltas, once. After the last one it throws the error of a call that failed.
   *
   * It also throws `DESCRIBE_RESPONSE_INVALID` where the deltas were not the description, such as thoughts without an
   * opening tag. Then `result` is still right.
   * @throws `DESCRIBE_INPUT_INVALID` for a second iteration.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<string, undefined> {
    if (this.#isTaken) {
      throw new InputError('stream', 'can be iterated once; got a second iteration. Keep the deltas, or use `result`.');
    }
    this.#isTaken = true;
    const iterator: AsyncIterableIterator<string, undefined> = {
      next: () => {
        const value = this.#isLeft ? undefined : this.#deltas.take();
        return value === undefined ? this.#next() : Promise.resolve({ done: false, value });
      },
      return: async () => {
        this.#leave();
        return { done: true, value: undefined };
      },
      throw: async (reason: unknown) => {
        this.#leave(reason);
        throw reason;
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  async #next(): Promise<IteratorResult<string, undefined>> {
    if (this.#isLeft) return { done: true, value: undefined };
    try {
      const value = await this.#deltas.next();
      if (value !== undefined && !this.#isLeft) return { done: false, value };
    } catch (error) {
      // The one who left does not want to hear why the call ended.
      if (!this.#isLeft) {
        this.#isLeft = true;
        throw error;
      }
    }
    this.#isLeft = true;
    return { done: true, value: undefined };
  }

  #leave(reason: unknown = new DOMException('the iteration over the stream was left', 'AbortError')): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.#owner.abort(reason);
  }
}
