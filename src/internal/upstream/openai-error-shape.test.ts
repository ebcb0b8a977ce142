import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import { describe, expect, it } from 'vitest';
import { isAbortedCall, isUnansweredCall } from './openai-error-shape.ts';

/** The classes after a minifier. */
const renamed = {
  abort: new (class a extends APIUserAbortError {})(),
  connection: new (class b extends APIConnectionError {})({ cause: new Error('socket hang up') }),
  timeout: new (class c extends APIConnectionTimeoutError {})(),
};

describe('an error of the openai client, by its shape', () => {
  it('is a call without an answer, whatever its class is called', () => {
    for (const error of Object.values(renamed)) expect(isUnansweredCall(error)).toBe(true);
  });

  it('is an abort only when the signal was aborted', () => {
    expect(isAbortedCall(renamed.abort)).toBe(true);
    expect(isAbortedCall(renamed.connection)).toBe(false);
    expect(isAbortedCall(renamed.timeout)).toBe(false);
  });

  it('is not confused with an answer, an error within a stream, or another error', () => {
    const answered = APIError.generate(500, { error: { message: 'x' } }, undefined, new Headers());
    const streamed = new APIError(undefined, { message: 'x' }, undefined, new Headers());
    const others = [answered, streamed, new Error('Request was aborted.'), {}, null, 'Request was aborted.'];
    for (const error of others) {
      expect(isUnansweredCall(error)).toBe(false);
      expect(isAbortedCall(error)).toBe(false);
    }
  });

  it('does not throw for a proxy that does', () => {
    const hostile = new Proxy(
      {},
      {
        getOwnPropertyDescriptor: () => {
          throw new Error('no');
        },
      },
    );
    expect(isUnansweredCall(hostile)).toBe(false);
  });
});
