import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { hashBytes, inspectImage } from '../src/image/index.ts';
import { createTestImage } from '../src/testing/index.ts';
import { defineSuite } from './harness/index.ts';

const SIDE = 512;
const image = createTestImage({ width: SIDE, height: SIDE, fileBytes: 200_000 });

export const suites = [
  defineSuite({
    name: 'image: format and size of a PNG',
    baseline: 'sharp metadata',
    contenders: {
      'sharp metadata': () => sharp(image).metadata(),
      ours: () => inspectImage(image),
    },
    verify: (result) => (result as { readonly width?: number } | undefined)?.width === SIDE,
    gates: { ours: 0.5 },
  }),
  defineSuite({
    name: 'image: a hash of 200 kB',
    baseline: 'sha256 of node:crypto',
    contenders: {
      'sha256 of node:crypto': () => createHash('sha256').update(image).digest('hex'),
      ours: () => hashBytes(image),
    },
    verify: (result) => result === createHash('sha256').update(image).digest('hex'),
    gates: { ours: 2 },
  }),
];
