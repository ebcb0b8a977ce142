import { describe, expect, it } from 'vitest';
import { FakeSender } from './fake-sender.fixture.ts';
import type { VisionTarget } from './packs/vision-target.ts';
import {
  type VisionDescriptionBatchOptions,
  VisionDescriptionBatchProcessor,
} from './vision-description-batch-processor.ts';

const completion = { choices: [{ message: { content: 'a cat' }, finish_reason: 'stop' }] };
const client = { chat: { completions: { create: async () => completion } } } as unknown as VisionTarget;

const outcome = (imageUrl: string, options: VisionDescriptionBatchOptions = {}, target = client) =>
  new VisionDescriptionBatchProcessor(target, { batchSize: 1, ...options }).process({ imageUrl }).then(
    () => 'described',
    (error: { code: string }) => error.code,
  );

describe('addresses of images', () => {
  it('are passed on for public hosts only, without credentials', async () => {
    expect(await outcome('https://images.example.com/cat.jpg')).toBe('described');
    for (const url of [
      'http://169.254.169.254/latest/meta-data',
      'http://2130706433/',
      'http://localhost/cat.jpg',
      'https://user:secret@images.example.com/cat.jpg',
    ]) {
      expect(await outcome(url), url).toBe('DESCRIBE_IMAGE_FORBIDDEN');
    }
    expect(await outcome('http://')).toBe('DESCRIBE_INPUT_INVALID');
  });

  it('are passed on for the private hosts that are allowed', async () => {
    const images = { allowHosts: ['minio.internal'] };
    expect(await outcome('http://minio.internal/cat.jpg', { images })).toBe('described');
    expect(await outcome('http://other.internal/cat.jpg', { images })).toBe('DESCRIBE_IMAGE_FORBIDDEN');
  });

  it('are passed on for the named hosts only, with onlyHosts', async () => {
    const images = { onlyHosts: ['images.example.com'] };
    expect(await outcome('https://images.example.com/cat.jpg', { images })).toBe('described');
    expect(await outcome('https://other.example.com/cat.jpg', { images })).toBe('DESCRIBE_IMAGE_FORBIDDEN');
  });

  it('are not passed on for the hosts of denyHosts', async () => {
    const images = { denyHosts: ['images.example.com'] };
    expect(await outcome('https://images.example.com/cat.jpg', { images })).toBe('DESCRIBE_IMAGE_FORBIDDEN');
    expect(await outcome('https://other.example.com/cat.jpg', { images })).toBe('described');
  });

  it('are left to a sender, credentials apart, unless hosts are named', async () => {
    const send = (url: string, options?: VisionDescriptionBatchOptions) => outcome(url, options, new FakeSender());
    expect(await send('http://minio.internal/cat.jpg')).toBe('described');
    expect(await send('http://user@images.example.com/')).toBe('DESCRIBE_IMAGE_FORBIDDEN');
    expect(await send('http://minio.internal/cat.jpg', { images: {} })).toBe('DESCRIBE_IMAGE_FORBIDDEN');
  });

  it('are named by patterns, or the option is wrong', () => {
    expect(() => new VisionDescriptionBatchProcessor(client, { images: { denyHosts: ['a b'] } })).toThrow(
      /images\.denyHosts\[0\]/,
    );
  });
});
