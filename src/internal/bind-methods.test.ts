import { describe, expect, it } from 'vitest';
import { bindMethods } from './bind-methods.ts';

class Base {
  #word: string;
  constructor(word: string) {
    this.#word = word;
  }
  get word(): string {
    return this.#word;
  }
  say(): string {
    return this.#word;
  }
  shout(): string {
    return this.say().toUpperCase();
  }
}

class Polite extends Base {
  override say(): string {
    return `${super.say()}, please`;
  }
}

describe('bindMethods', () => {
  it('keeps `this` in methods that are taken apart, inherited and overridden ones too', () => {
    const { say, shout } = bindMethods(new Polite('tea'));
    expect([say(), shout()]).toEqual(['tea, please', 'TEA, PLEASE']);
  });

  it('leaves accessors, other instances and what is shown of a handle as they were', () => {
    const handle = bindMethods(new Base('tea'));
    expect(handle.word).toBe('tea');
    expect(Object.keys(handle)).toEqual([]);
    expect(Object.hasOwn(new Base('milk'), 'say')).toBe(false);
  });

  it('lets a test replace a method', () => {
    const handle = bindMethods(new Base('tea'));
    handle.say = () => 'coffee';
    expect(handle.shout()).toBe('COFFEE');
  });
});
