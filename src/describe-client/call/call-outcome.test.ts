import { types } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CircuitOpenError } from '../../errors/circuit-open-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { CallTrace } from '../attempt/call-trace.ts';
import { explainError, failureBehind } from './call-outcome.ts';

const storyOf = (endpoint: string) => {
  const trace = new CallTrace(new ManualClock());
  trace.beginAttempt(endpoint).ended({ outcome: 'aborted' });
  return trace.explain();
};

const failure = () =>
  new UpstreamError('DESCRIBE_RATE_LIMITED', 'too fast', {
    cause: new Error('why'),
    status: 429,
    retryAfterMs: 7,
    retryable: true,
  });

describe('the failure behind a stale entry', () => {
  const stale = { cached: { description: 'a cat', model: 'm' }, source: 'stale', caused: undefined } as const;

  it("says what happened and what to do where it was another call's", () => {
    expect(failureBehind(stale)).toMatchObject({
      code: 'DESCRIBE_UPSTREAM',
      retryable: true,
      message: expect.stringMatching(/failed for this image a moment ago.*Try again then/),
    });
    const own = failure();
    expect(failureBehind({ ...stale, failure: own })).toBe(own);
  });
});

describe('explainError', () => {
  it('tells the story on the error itself, out of sight of logs', () => {
    const error = failure();
    const story = storyOf('a');
    expect(explainError(error, story)).toBe(error);
    expect(error.explain).toBe(story);
    expect(Object.keys(error)).not.toContain('explain');
    expect(JSON.parse(JSON.stringify(error.explain))).toEqual(story);
  });

  it('gives every caller of one failure the story of its own call', () => {
    const error = failure();
    const stories = ['a', 'b', 'c'].map(storyOf);
    const given = stories.map((story) => explainError(error, story) as UpstreamError);
    expect(given.map(({ explain }) => explain)).toEqual(stories);
    expect(new Set(given).size).toBe(3);
    for (const copy of given) {
      expect(DescribeError.is(copy, 'DESCRIBE_RATE_LIMITED')).toBe(true);
      expect(copy).toBeInstanceOf(UpstreamError);
      expect(types.isNativeError(copy)).toBe(true);
      const { name, message, status, retryAfterMs, retryable, cause, stack } = copy;
      expect({ name, message, status, retryAfterMs, retryable, cause, stack }).toEqual({
        name: 'UpstreamError',
        message: 'too fast',
        status: 429,
        retryAfterMs: 7,
        retryable: true,
        cause: error.cause,
        stack: error.stack,
      });
      expect(Object.keys(copy)).toEqual(Object.keys(error));
    }
  });

  it('copies what can take no property', () => {
    const error = Object.freeze(new CircuitOpenError('b', 10));
    const story = storyOf('a');
    expect(explainError(error, story)).toMatchObject({ breaker: 'b', explain: story });
    expect(error).not.toHaveProperty('explain');
  });

  it("leaves a caller's own reason alone, even one of ours", () => {
    const reason = failure();
    const signal = AbortSignal.abort(reason);
    expect(explainError(reason, storyOf('a'), { signals: [undefined, signal] })).toBe(reason);
    expect(reason).not.toHaveProperty('explain');
    const foreign = new Error('mine');
    expect(explainError(foreign, storyOf('a'))).toBe(foreign);
    expect(explainError('gone', storyOf('a'))).toBe('gone');
  });
});
