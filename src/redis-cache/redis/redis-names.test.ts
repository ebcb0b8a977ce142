import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from './bus-message.ts';
import { breaksSlots, RedisNames } from './redis-names.ts';

/** The part of a name that a Cluster hashes: the text in the first braces, if there is any. */
const hashedPart = (name: string) => /^[^{]*\{([^}]+)\}/.exec(name)?.[1] ?? name;

const key = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.stringMatching(/^[{}%7BD]{1,8}$/),
  fc
    .array(fc.constantFrom('\ud800', '\udbff', '\udc00', '%D800', 'D', '8', '0'), { maxLength: 4 })
    .map((all) => `a${all.join('')}`),
);
const prefixes = fc.constantFrom('', 'app:', '{app}:', '{}app:', 'a{b:');
const inUtf8 = (name: string) => Buffer.from(name).toString();

describe('names in Redis', () => {
  it('differ for different keys, and stand in one slot for one key', () => {
    fc.assert(
      fc.property(key, key, prefixes, fc.constantFrom('', 'all:', '{all}:'), (left, right, prefix, client) => {
        const names = new RedisNames(prefix, client);
        expect(inUtf8(names.entry(left)) === inUtf8(names.entry(right))).toBe(left === right);
        if (!breaksSlots(client + prefix)) {
          expect(hashedPart(client + names.lease(left))).toBe(hashedPart(client + names.entry(left)));
        }
        const all = [names.entry(left), names.lease(right), names.tag(right), `${prefix}bus`];
        expect(new Set(all).size).toBe(all.length);
        for (const name of all) expect(name.startsWith(prefix)).toBe(true);
        expect(names.channel).toBe(`${client}${prefix}bus`);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  it('of a lease and of any entry differ', () => {
    const isTaken = (prefix: string, key: string, other: string) => {
      const names = new RedisNames(prefix);
      return names.lease(key) === names.entry(other);
    };
    for (const prefix of ['{app}:', 'app:']) {
      for (const other of ['x:lease', 'l:x', 'x']) expect(isTaken(prefix, 'x', other)).toBe(false);
    }
  });

  it('are found by a pattern that takes nothing of the prefix for a wildcard', () => {
    expect(new RedisNames('a*[b]?:', 'client:').everyEntry).toBe('client:a\\*\\[b\\]\\?:e:*');
  });
});

describe('messages', () => {
  it('arrive as they were sent', () => {
    const message = { source: 's', action: 'tags', names: ['', 'a', '"\n'] } as const;
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  it('from other programs are ignored', () => {
    for (const text of ['', '{}', '[1]', '["s","other"]', '["s","keys",5]', 'x'.repeat(5_000_000)]) {
      expect(decodeMessage(text)).toBeUndefined();
    }
  });
});
