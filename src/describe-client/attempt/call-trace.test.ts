import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../errors/upstream-error.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { CallTrace, sharedSink } from './call-trace.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe('an attempt under way', () => {
  it('is told of as cut off by a call that ends before it', async () => {
    const clock = new ManualClock();
    const trace = new CallTrace(clock);
    const attempt = trace.beginAttempt('a');
    await clock.advance(30);
    attempt.connected();
    await clock.advance(70);
    expect(trace.explain()).toMatchObject({
      poolMs: 30,
      upstreamMs: 70,
      attempts: [{ endpoint: 'a', outcome: 'aborted', durationMs: 100 }],
    });
    attempt.ended({ outcome: 'success' });
    expect(trace.explain().attempts).toMatchObject([{ outcome: 'success' }]);
  });
});

describe('an attempt that the end of its call cut off', () => {
  it('is waited for while it takes some microtasks to end, and no longer', async () => {
    const trace = new CallTrace(new ManualClock());
    const [ending, hanging] = [trace.beginAttempt('a'), trace.beginAttempt('b')];
    const end = async () => {
      for (let turn = 0; turn < 10; turn += 1) await undefined;
      ending.ended({ outcome: 'failure', error: new UpstreamError('DESCRIBE_UPSTREAM', 'x', { status: 500 }) });
    };
    void end();
    await trace.settled();
    expect(trace.explain().attempts).toMatchObject([
      { endpoint: 'a', outcome: 'failure', status: 500 },
      { endpoint: 'b', outcome: 'aborted', clientRequestId: hanging.clientRequestId },
    ]);
  });
});

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
    first.ended({
      outcome: 'failure',
      error: new UpstreamError('DESCRIBE_RATE_LIMITED', 'x', { status: 429, retryAfterMs: 7, retryable: true }),
    });
    await clock.advance(7);
    trace.leaves(2);
    const second = trace.beginAttempt('default');
    await clock.advance(1);
    second.ended({ outcome: 'aborted' });
    expect(first.clientRequestId).toMatch(UUID);
    expect(second.clientRequestId).not.toBe(first.clientRequestId);
    expect(trace.explain()).toEqual({
      totalMs: 43,
      queueMs: 5,
      poolMs: 11,
      upstreamMs: 20,
      retryMs: 0,
      batchSize: 2,
      attempts: [
        {
          endpoint: 'default',
          outcome: 'failure',
          durationMs: 30,
          clientRequestId: first.clientRequestId,
          code: 'DESCRIBE_RATE_LIMITED',
          scope: 'quota-group',
          status: 429,
          retryAfterMs: 7,
        },
        {
          endpoint: 'default',
          outcome: 'aborted',
          durationMs: 1,
          clientRequestId: second.clientRequestId,
        },
      ],
    });
    expect(Object.isFrozen(trace.explain())).toBe(true);
  });

  it('names the model, and the request as both sides know it', () => {
    const trace = new CallTrace(new ManualClock());
    const answered = trace.beginAttempt('a', 'gpt-4.1-nano');
    answered.ended({ outcome: 'success', requestId: 'req_1' });
    const refused = trace.beginAttempt('a');
    refused.ended({
      outcome: 'failure',
      error: new UpstreamError('DESCRIBE_UPSTREAM', 'x', { status: 500, requestId: 'req_2' }),
    });
    const unread = trace.beginAttempt('a');
    const invalid = new UpstreamError('DESCRIBE_RESPONSE_INVALID', 'x', { status: 200 });
    unread.ended({ outcome: 'failure', error: invalid, requestId: 'req_3' });
    expect(trace.explain().attempts).toMatchObject([
      { model: 'gpt-4.1-nano', requestId: 'req_1', outcome: 'success' },
      { requestId: 'req_2', status: 500 },
      { requestId: 'req_3', code: 'DESCRIBE_RESPONSE_INVALID' },
    ]);
  });

  it('counts waits in a queue, also one that the end of the call cuts short', async () => {
    const clock = new ManualClock();
    const trace = new CallTrace(clock);
    const end = trace.waits();
    await clock.advance(10);
    end();
    end();
    await clock.advance(5);
    trace.waits();
    await clock.advance(3);
    expect(trace.explain().queueMs).toBe(13);
    await clock.advance(4);
    expect(trace.explain().queueMs).toBe(17);
  });

  it('counts waits between attempts as long as they last', async () => {
    const clock = new ManualClock();
    const trace = new CallTrace(clock);
    trace.retries(100);
    await clock.advance(130);
    trace.retries(200);
    await clock.advance(50);
    expect(trace.explain().retryMs).toBe(150);
    await clock.advance(500);
    expect(trace.explain().retryMs).toBe(300);
  });

  it('says why the last attempt was the last, and what was tried instead', () => {
    const trace = new CallTrace(new ManualClock());
    trace.givesUp('budget');
    expect(trace.explain().gaveUp).toBe('budget');
    trace.beginAttempt('default').ended({ outcome: 'success' });
    expect(trace.explain()).not.toHaveProperty('gaveUp');
    expect(trace.explain()).not.toHaveProperty('fallbacks');
    trace.fallsBack({ kind: 'stale', outcome: 'none' });
    expect(trace.explain().fallbacks).toEqual([{ kind: 'stale', outcome: 'none' }]);
  });

  it('adds up what was billed, with a price while each answer has one', () => {
    const trace = new CallTrace(new ManualClock());
    expect(trace.bill).toEqual({});
    trace.billed({ promptTokens: 1, completionTokens: 2, totalTokens: 3 }, 0.1);
    trace.billed({ promptTokens: 4, completionTokens: 5, totalTokens: 9 }, 0.2);
    expect(trace.bill).toEqual({ usage: { promptTokens: 5, completionTokens: 7, totalTokens: 12 }, costUsd: 0.3 });
    trace.billed({ promptTokens: 1, completionTokens: 1, totalTokens: 2 }, undefined);
    trace.billed({ promptTokens: 1, completionTokens: 1, totalTokens: 2 }, 0.1);
    expect(trace.bill).toEqual({ usage: { promptTokens: 7, completionTokens: 9, totalTokens: 16 } });
  });

  it('writes a shared attempt down for everyone, under one id', async () => {
    const clock = new ManualClock();
    const traces = [new CallTrace(clock), new CallTrace(clock)];
    const sink = sharedSink(traces);
    const end = sink.waits();
    await clock.advance(2);
    end();
    const attempt = sink.beginAttempt('default', 'm');
    attempt.connected();
    await clock.advance(3);
    attempt.ended({ outcome: 'success', requestId: 'req_1' });
    sink.retries(0);
    sink.givesUp('attempts');
    for (const trace of traces) {
      expect(trace.explain()).toMatchObject({ queueMs: 2, gaveUp: 'attempts' });
      expect(trace.explain().attempts).toEqual([
        {
          endpoint: 'default',
          model: 'm',
          outcome: 'success',
          durationMs: 3,
          clientRequestId: attempt.clientRequestId,
          requestId: 'req_1',
        },
      ]);
    }
  });
});
