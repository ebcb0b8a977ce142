import { describe, expect, it } from 'vitest';
import { Emitter } from './emitter.ts';

interface Events {
  opened: { readonly name: string };
  closed: { readonly name: string };
}

describe('Emitter', () => {
  it('calls the listeners of a name in the order of subscription', () => {
    const emitter = new Emitter<Events>();
    const calls: string[] = [];
    emitter.on('opened', ({ name }) => calls.push(`a ${name}`));
    emitter.on('opened', ({ name }) => calls.push(`b ${name}`));
    emitter.on('closed', () => calls.push('never'));
    emitter.emit('opened', { name: 'x' });
    expect(calls).toEqual(['a x', 'b x']);
  });

  it('stops calling a listener once unsubscribed, by call or by disposal', () => {
    const emitter = new Emitter<Events>();
    let calls = 0;
    const unsubscribe = emitter.on('opened', () => {
      calls += 1;
    });
    {
      using _scoped = emitter.on('opened', () => {
        calls += 10;
      });
      emitter.emit('opened', { name: 'x' });
    }
    unsubscribe();
    unsubscribe();
    emitter.emit('opened', { name: 'x' });
    expect(calls).toBe(11);
    expect(emitter.has('opened')).toBe(false);
  });

  it('goes on after a listener that throws or rejects', async () => {
    const emitter = new Emitter<Events>();
    const calls: string[] = [];
    emitter.on('opened', () => {
      throw new Error('listener');
    });
    emitter.on('opened', async () => {
      throw new Error('async listener');
    });
    emitter.on('opened', () => calls.push('reached'));
    expect(() => emitter.emit('opened', { name: 'x' })).not.toThrow();
    await Promise.resolve();
    expect(calls).toEqual(['reached']);
  });

  it('calls a listener that unsubscribes another one during the event', () => {
    const emitter = new Emitter<Events>();
    const calls: string[] = [];
    emitter.on('opened', () => second());
    const second = emitter.on('opened', () => calls.push('second'));
    emitter.emit('opened', { name: 'x' });
    emitter.emit('opened', { name: 'x' });
    expect(calls).toEqual(['second']);
  });
});
