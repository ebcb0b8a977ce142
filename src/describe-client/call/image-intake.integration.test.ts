import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImageError } from '../../errors/image-error.ts';
import { systemClock } from '../../internal/clock.ts';
import type { ClientImageOptions } from '../options/client-image-options.ts';
import { type RawServer, startRawServer } from '../raw-server.fixture.ts';
import { ImageIntake } from './image-intake.ts';

const path = fileURLToPath(new URL('../../../examples/images/coffee.png', import.meta.url));
const coffee = readFileSync(path);
const SIZE = coffee.length;
const MAX_BYTES = 1_000_000;

let host: RawServer;
let origin: string;
let requests = 0;
beforeAll(async () => {
  host = await startRawServer((request, response) => {
    requests += 1;
    if (request.url === '/absent.png') response.writeHead(404).end();
    else if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
    else response.writeHead(200, { 'content-type': 'image/png', etag: '"1"' }).end(coffee);
  });
  origin = host.origin;
});
afterAll(() => host.close());

const signal = new AbortController().signal;

/** An intake, and a capacity that records what is taken and held. */
const intakeOf = (options: ClientImageOptions = {}) => {
  const intake = new ImageIntake({ maxBytes: MAX_BYTES, allowHosts: ['127.0.0.1'], ...options }, systemClock);
  const taken: string[] = [];
  const capacity = {
    reserve: async (bytes: number) => void taken.push(`takes ${bytes}`),
    correct: (bytes: number) => void taken.push(`holds ${bytes}`),
  };
  return { intake, taken, capacity };
};

describe('an image that is taken in', () => {
  it('takes capacity for its size before it is read', async () => {
    const sources = [
      coffee,
      new Blob([new Uint8Array(coffee)]),
      { file: path },
      `data:image/png;base64,${coffee.toString('base64')}`,
    ];
    for (const source of sources) {
      const { intake, taken, capacity } = intakeOf();
      await intake.take({ image: source }, signal, capacity);
      // The size is estimated without the padding of base64.
      expect(taken[0]).toMatch(new RegExp(`^takes (${SIZE}|${SIZE + 1}|${SIZE + 2})$`));
      expect(taken[1]).toBe(`holds ${SIZE}`);
    }
  });

  it('takes the most that a stream may have, and gives back what it had not', async () => {
    const { intake, taken, capacity } = intakeOf();
    await intake.take({ image: new Blob([new Uint8Array(coffee)]).stream() }, signal, capacity);
    expect(taken).toEqual([`takes ${MAX_BYTES}`, `holds ${SIZE}`]);
  });

  it('is not read while there is no capacity', async () => {
    const { intake } = intakeOf();
    let pulled = false;
    const source = (async function* () {
      pulled = true;
      yield coffee;
    })();
    const capacity = { reserve: () => Promise.reject(new Error('no capacity')), correct: () => {} };
    await expect(intake.take({ image: source }, signal, capacity)).rejects.toThrow('no capacity');
    expect(pulled).toBe(false);
  });

  it('takes none for a URL that is passed on, and capacity for a download where the API could not', async () => {
    const { intake, taken, capacity } = intakeOf();
    const image = await intake.take({ image: `${origin}/a.png` }, signal, capacity);
    expect(taken).toEqual([]);
    const kinds: string[] = [];
    const send = async (sendable: { readonly kind: string }) => {
      kinds.push(sendable.kind);
      if (sendable.kind === 'url') throw new ImageError('DESCRIBE_IMAGE_FETCH_FAILED', 'x');
    };
    await intake.send(image, send, signal, capacity);
    expect(kinds).toEqual(['url', 'bytes']);
    expect(taken).toEqual(['holds 0', `takes ${MAX_BYTES}`, `holds ${SIZE}`]);
  });

  it('takes capacity for a URL that is known by its content only where it has to be asked for', async () => {
    const { intake, taken, capacity } = intakeOf({ imageIdentity: 'content' });
    const url = `${origin}/b.png`;
    await intake.take({ image: url }, signal, capacity);
    expect(taken.splice(0)).toEqual([`takes ${MAX_BYTES}`, `holds ${SIZE}`]);
    const before = requests;
    const known = await intake.take({ image: url }, signal, capacity);
    expect(taken.splice(0)).toEqual(['holds 0']);
    expect(requests).toBe(before);
    await intake.send(known, async () => {}, signal, capacity);
    expect(taken).toEqual([`takes ${MAX_BYTES}`, `holds ${SIZE}`]);
  });
});
