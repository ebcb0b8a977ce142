import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../errors/upstream-error.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { CallTrace, sharedSink } from './call-trace.ts';

describe('CallTrace', () => {
  it('tells where the time of a call went, attempt by attempt', async () => {
    const clock = new ManualClock();
    const trace = new CallTrace(clock);
    trace.queued();
    await clock.advance(5);
    trace.leaves(3);
    const first = trace.beginAttempt('default');
    await clock.advance(10);
    first.connected();
    await clock.advance(20);
    expect(first.onWireMs).toBe(20);
    first.failed(
      new UpstreamError('DESCRIBE_RATE_LIMITED', 'x', { status: 429, retryAfterMs: 7, retryable: true }),
    );
    await clock.advance(7);
    trace.leaves(2);
    const second = trace.beginAttempt('default');
    await clock.advance(1);
    second.aborted();
    expect(trace.explain()).toEqual({
      totalMs: 43,
      queueMs: 5,
      poolMs: 11,
      upstreamMs: 20,
      batchSize: 2,
      attempts: [
        {
          endpoint: 'default',
          outcome: 'failure',
          durationMs: 30,
          code: 'DESCRIBE_RATE_LIMITED',
          status: 429,
          retryAfterMs: 7,
        },
        { endpoint: 'default', outcome: 'aborted', durationMs: 1 },
      ],
    });
    expect(Object.isFrozen(trace.explain())).toBe(true);
  });

  it('writes a shared attempt down for everyone', async () => {
    const clock = new ManualClock();
    const traces = [new CallTrace(clock), new CallTrace(clock)];
    const attempt = sharedSink(traces).beginAttempt('default');
    attempt.connected();
    await clock.advance(3);
    expect(attempt.onWireMs).toBe(3);
    attempt.succeeded();
    for (const trace of traces) {
      expect(trace.explain().attempts).toEqual([{ endpoint: 'default', outcome: 'success', durationMs: 3 }]);
    }
  });
});
