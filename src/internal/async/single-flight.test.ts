import { describe, expect, it } from 'vitest';
import { Deferred } from './deferred.ts';
import { SingleFlight } from './single-flight.ts';

function flying() {
  const flights = new SingleFlight<string>();
  const answer = new Deferred<string>();
  const signals: AbortSignal[] = [];
  const join = (signal?: AbortSignal) =>
    flights.run(
      'key',
      ({ signal: own }) => {
        signals.push(own);
        return answer.promise;
      },
      { signal },
    );
  return { flights, answer, signals, join };
}

describe('SingleFlight', () => {
  it('runs the work once for everyone who asks meanwhile, and again afterwards', async () => {
    const { answer, signals, join, flights } = flying();
    const first = join();
    const second = join();
    answer.resolve('value');
    expect(await first).toEqual({ value: 'value', shared: false });
    expect(await second).toEqual({ value: 'value', shared: true });
    expect(flights.size).toBe(0);
    await join();
    expect(signals).toHaveLength(2);
  });

  it('lets one caller leave without hurting the others', async () => {
    const { answer, signals, join } = flying();
    const leaving = new AbortController();
    const first = join(leaving.signal);
    const second = join();
    leaving.abort(new Error('gone'));
    await expect(first).rejects.toThrow('gone');
    expect(signals[0]?.aborted).toBe(false);
    answer.resolve('value');
    expect((await second).value).toBe('value');
  });

  it('aborts the work with the last reason when everyone left, and starts anew for the next', async () => {
    const { signals, join, flights } = flying();
    const one = new AbortController();
    const two = new AbortController();
    const waits = [join(one.signal), join(two.signal)];
    one.abort(new Error('one'));
    two.abort(new Error('two'));
    await Promise.allSettled(waits);
    expect(signals[0]?.reason).toEqual(new Error('two'));
    expect(flights.size).toBe(0);
    void join();
    expect(signals).toHaveLength(2);
  });

  it('does not start for a signal that is aborted already', async () => {
    const { signals, join } = flying();
    await expect(join(AbortSignal.abort('no'))).rejects.toBe('no');
    expect(signals).toHaveLength(0);
  });

  it('rejects everyone with what the work throws, at once or later', async () => {
    const flights = new SingleFlight<string>();
    const throwing = () => {
      throw new Error('at once');
    };
    await expect(flights.run('key', throwing)).rejects.toThrow('at once');
    await expect(flights.run('key', async () => throwing())).rejects.toThrow('at once');
    expect(flights.size).toBe(0);
  });

  it('leaves a forgotten flight to those who wait, and starts another for the next', async () => {
    const { answer, signals, join, flights } = flying();
    const first = join();
    flights.forget('key');
    const second = join();
    answer.resolve('value');
    expect([await first, await second].map(({ shared }) => shared)).toEqual([false, false]);
    expect(signals).toHaveLength(2);
    expect(flights.size).toBe(0);
  });
});
