import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../internal/options/option-checks.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { createDescribeClient } from '../create-describe-client.ts';
import { type AdmissionOptions, CLIENT_LIMIT_CHECKS } from '../options/limit-options.ts';
import { Admission } from './admission.ts';
import type { AdmissionTicket } from './admission-ticket.ts';

const never = () => new AbortController().signal;

const reserve = async (ticket: AdmissionTicket, bytes: number, signal: AbortSignal) => ticket.reserve(bytes, signal);

/** An admission, and calls in it that record when they get their capacity. */
const gateOf = (options: AdmissionOptions = {}) => {
  const clock = new ManualClock();
  const admission = new Admission(settingsOf({ maxBytesInFlight: 100, ...options }, CLIENT_LIMIT_CHECKS), clock);
  const admitted: string[] = [];
  const begin = (name: string, bytes: number, priority = 0, signal = never()) => {
    const ticket = admission.enter(priority);
    const reserved = reserve(ticket, bytes, signal).then(() => void admitted.push(name));
    reserved.catch(() => {});
    return { ticket, reserved };
  };
  return { clock, admission, admitted, begin };
};

describe('Admission', () => {
  it('refuses a call beyond maxQueuedCalls at once, and names the option', () => {
    const { admission } = gateOf({ maxQueuedCalls: 2 });
    const ticket = admission.enter();
    admission.enter();
    expect(() => admission.enter()).toThrow(
      expect.objectContaining({ code: 'DESCRIBE_QUEUE_FULL', option: 'limits.maxQueuedCalls', limit: 2 }),
    );
    expect(admission.getStats()).toEqual({ calls: 2, waiting: 0, bytesInFlight: 0, refused: 1 });
    ticket.leave();
    ticket.leave();
    admission.enter();
    expect(() => admission.enter()).toThrow(/maxQueuedCalls/);
  });

  it('lets in as many bytes as fit, and the next as soon as there is capacity', async () => {
    const { clock, admission, admitted, begin } = gateOf();
    const a = begin('a', 60);
    begin('b', 40);
    begin('c', 50);
    // It would fit, but an earlier call waits.
    begin('d', 1);
    await clock.flush();
    expect(admitted).toEqual(['a', 'b']);
    expect(admission.getStats()).toMatchObject({ bytesInFlight: 100, waiting: 2 });
    a.ticket.leave();
    await clock.flush();
    expect(admitted).toEqual(['a', 'b', 'c', 'd']);
    expect(admission.getStats()).toMatchObject({ bytesInFlight: 91, waiting: 0, calls: 3 });
  });

  it('goes by priority, then by arrival, and lets age count', async () => {
    const { clock, admitted, begin } = gateOf();
    const { ticket } = begin('first', 100);
    begin('low', 30, -1);
    begin('a', 30);
    begin('high', 30, 5);
    begin('b', 30);
    await clock.advance(60_000);
    begin('late', 30, 5);
    ticket.leave();
    await clock.flush();
    expect(admitted).toEqual(['first', 'high', 'a', 'b']);
  });

  it('lets an image larger than all capacity pass alone', async () => {
    const { clock, admitted, begin } = gateOf();
    const small = begin('small', 10);
    const huge = begin('huge', 1000);
    begin('next', 1);
    await clock.flush();
    expect(admitted).toEqual(['small']);
    small.ticket.leave();
    await clock.flush();
    expect(admitted).toEqual(['small', 'huge']);
    huge.ticket.leave();
    await clock.flush();
    expect(admitted).toEqual(['small', 'huge', 'next']);
  });

  it('takes calls without bytes in whatever waits', async () => {
    const { clock, admitted, begin } = gateOf();
    begin('full', 100);
    begin('waits', 1);
    begin('url', 0);
    await clock.flush();
    expect(admitted).toEqual(['full', 'url']);
  });

  it('corrects what turned out otherwise, up without a wait and down to the good of others', async () => {
    const { clock, admission, admitted, begin } = gateOf();
    const stream = begin('stream', 90);
    begin('next', 50);
    await clock.flush();
    stream.ticket.correct(120);
    expect(admission.getStats().bytesInFlight).toBe(120);
    stream.ticket.correct(50);
    await clock.flush();
    expect(admitted).toEqual(['stream', 'next']);
    stream.ticket.leave();
    stream.ticket.correct(70);
    await stream.ticket.reserve(70, never());
    expect(admission.getStats()).toMatchObject({ bytesInFlight: 50, calls: 1 });
  });

  it('never waits while it holds: more of the same image is let pass', async () => {
    const { clock, admission, begin } = gateOf();
    const { ticket } = begin('a', 60);
    begin('b', 40);
    begin('c', 40);
    await clock.flush();
    await ticket.reserve(80, never());
    expect(admission.getStats()).toMatchObject({ bytesInFlight: 120, waiting: 1 });
    await ticket.reserve(10, never());
    expect(admission.getStats().bytesInFlight).toBe(120);
  });

  it('takes a call that is aborted out of the queue at once, with the reason', async () => {
    const { clock, admission, admitted, begin } = gateOf();
    begin('full', 100);
    const controller = new AbortController();
    const huge = begin('huge', 500, 1, controller.signal);
    const { ticket } = begin('small', 1);
    await clock.flush();
    controller.abort('enough');
    await expect(huge.reserved).rejects.toBe('enough');
    huge.ticket.leave();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(admission.getStats()).toMatchObject({ waiting: 1, bytesInFlight: 100, calls: 2 });
    await expect(reserve(ticket, 1, AbortSignal.abort('gone'))).rejects.toBe('gone');
    expect(admitted).toEqual(['full']);
  });

  it('lets the next one in when the first in the queue gives up', async () => {
    const { clock, admitted, begin } = gateOf();
    begin('half', 50);
    const controller = new AbortController();
    begin('huge', 500, 0, controller.signal);
    begin('small', 20);
    await clock.flush();
    expect(admitted).toEqual(['half']);
    controller.abort('enough');
    await clock.flush();
    expect(admitted).toEqual(['half', 'small']);
  });

  it('leaves no listener on the signal of a call that waited and got in', async () => {
    const { clock, begin } = gateOf();
    const { ticket } = begin('full', 100);
    const { signal } = new AbortController();
    begin('waits', 10, 0, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    ticket.leave();
    await clock.flush();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('tells when a wait for capacity begins and ends, and nothing of what goes in at once', async () => {
    const { clock, admission, begin } = gateOf();
    const { ticket } = begin('full', 100);
    const told: string[] = [];
    const waits = () => {
      told.push('waits');
      return () => void told.push('ended');
    };
    const controller = new AbortController();
    const [first, second] = [admission.enter(0, waits), admission.enter(0, waits)];
    void first.reserve(100, never());
    second.reserve(1, controller.signal)?.catch(() => {});
    await clock.flush();
    controller.abort('enough');
    await clock.flush();
    expect(told).toEqual(['waits', 'waits', 'ended']);
    ticket.leave();
    await clock.flush();
    expect(told).toEqual(['waits', 'waits', 'ended', 'ended']);
    first.leave();
    await admission.enter(0, waits).reserve(100, never());
    expect(told).toHaveLength(4);
  });

  it('keeps the capacity for work that outlives the call', async () => {
    const { clock, admission, begin } = gateOf();
    const { ticket } = begin('a', 60);
    await clock.flush();
    const release = ticket.hold();
    ticket.leave();
    expect(admission.getStats()).toMatchObject({ calls: 0, bytesInFlight: 60 });
    ticket.correct(30);
    release();
    release();
    expect(admission.getStats()).toMatchObject({ calls: 0, bytesInFlight: 0 });
    ticket.hold()();
    expect(admission.getStats().bytesInFlight).toBe(0);
  });

  it('gives back capacity that is granted to a call in the moment it leaves', async () => {
    const { clock, admission, begin } = gateOf();
    const first = begin('first', 100);
    const second = begin('second', 50);
    first.ticket.leave();
    second.ticket.leave();
    await clock.flush();
    expect(admission.getStats()).toMatchObject({ calls: 0, bytesInFlight: 0, waiting: 0 });
  });

  it('lists wrong options', () => {
    const limits = { maxQueuedCalls: 0, maxBytesInFlight: 0.5 };
    expect(() => createDescribeClient({ limits })).toThrow(/maxQueuedCalls.*maxBytesInFlight/);
  });

  it('never holds more than its capacity but for one alone, and ends empty, whatever happens when', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('begin'), bytes: fc.integer({ min: 0, max: 150 }), priority: fc.nat(2) }),
      fc.record({ kind: fc.constantFrom('leave', 'abort', 'shrink', 'hold', 'release'), at: fc.nat(30) }),
      fc.record({ kind: fc.constant('wait'), ms: fc.nat(3000) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { clock, admission, begin } = gateOf();
        const calls: {
          readonly call: ReturnType<typeof begin>;
          readonly controller: AbortController;
          readonly holds: (() => void)[];
          readonly bytes: number;
        }[] = [];
        for (const next of steps) {
          if ('bytes' in next) {
            const controller = new AbortController();
            const call = begin('call', next.bytes, next.priority, controller.signal);
            calls.push({ call, controller, holds: [], bytes: next.bytes });
          } else if ('ms' in next) await clock.advance(next.ms);
          else {
            const chosen = calls[next.at % Math.max(1, calls.length)];
            if (next.kind === 'leave') chosen?.call.ticket.leave();
            if (next.kind === 'abort') chosen?.controller.abort('enough');
            if (next.kind === 'hold') chosen?.holds.push(chosen.call.ticket.hold());
            if (next.kind === 'release') chosen?.holds.pop()?.();
            if (next.kind === 'shrink') {
              const outcome = await Promise.race([chosen?.call.reserved, clock.flush().then(() => 'waits')]);
              if (outcome !== 'waits') chosen?.call.ticket.correct(Math.floor((chosen?.bytes ?? 0) / 2));
            }
          }
          const { bytesInFlight, waiting } = admission.getStats();
          expect(bytesInFlight).toBeGreaterThanOrEqual(0);
          expect(bytesInFlight).toBeLessThanOrEqual(150);
          if (bytesInFlight === 0) expect(waiting).toBe(0);
        }
        for (const { call, controller, holds } of calls) {
          call.ticket.leave();
          controller.abort('end');
          for (const release of holds) release();
        }
        await clock.flush();
        expect(admission.getStats()).toMatchObject({ calls: 0, waiting: 0, bytesInFlight: 0 });
      }),
      { seed: 7, numRuns: 200 },
    );
  });
});
