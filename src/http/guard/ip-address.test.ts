import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inRange, parseAddress, parseRange } from './ip-address.ts';

const byte = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.'));
const word = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 0xffff }));
const ipv6 = fc.array(word, { minLength: 8, maxLength: 8 }).chain((words) => {
  const full = words.map((value) => value.toString(16)).join(':');
  // The URL parser writes the same address in its shortest form.
  const short = new URL(`http://[${full}]/`).hostname.slice(1, -1);
  const dotted = `${words
    .slice(0, 6)
    .map((value) => value.toString(16))
    .join(':')}:${words
    .slice(6)
    .map((value) => `${value >> 8}.${value & 0xff}`)
    .join('.')}`;
  return fc.constantFrom(full, short, dotted, full.toUpperCase());
});

const SEED = 20_261_122;

describe('parseAddress', () => {
  it('reads every textual form of an address alike', () => {
    fc.assert(
      fc.property(ipv6, (text) => {
        const bytes = parseAddress(text) ?? [];
        const words = Array.from(
          { length: 8 },
          (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0),
        );
        expect(bytes).toHaveLength(16);
        expect(new URL(`http://[${words.map((value) => value.toString(16)).join(':')}]/`).hostname).toBe(
          new URL(`http://[${text}]/`).hostname,
        );
      }),
      { seed: SEED },
    );
  });

  it('takes nothing that is no address', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (isIP(text) === 0) expect(parseAddress(text)).toBeUndefined();
      }),
      { seed: SEED },
    );
    expect(parseAddress('0177.0.0.1')).toBeUndefined();
    expect(parseAddress('fe80::1%eth0')).toHaveLength(16);
  });
});

describe('inRange', () => {
  it("agrees with Node's BlockList", () => {
    const cases = fc.oneof(
      fc.tuple(ipv4, ipv4, fc.integer({ min: 0, max: 32 }), fc.constant('ipv4' as const)),
      fc.tuple(ipv6, ipv6, fc.integer({ min: 0, max: 128 }), fc.constant('ipv6' as const)),
    );
    fc.assert(
      fc.property(cases, fc.boolean(), ([base, other, prefixBits, family], same) => {
        const address = same ? base : other;
        const blocked = new BlockList();
        blocked.addSubnet(base, prefixBits, family);
        const range = parseRange(`${base}/${prefixBits}`);
        const bytes = parseAddress(address);
        if (range === undefined || bytes === undefined) throw new Error(`${base} ${address}`);
        expect(inRange(bytes, range)).toBe(blocked.check(address, family));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});
