import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { countSlices } from './count-slices.fixture.ts';
import { hashText } from './hash-text.ts';

const PIECE = 32 * 1024;

describe('hashText', () => {
  it.each([
    ['nothing', ''],
    ['one piece', 'a'.repeat(PIECE)],
    ['a piece and a unit', 'a'.repeat(PIECE + 1)],
    ['a pair across a cut', `${'a'.repeat(PIECE - 1)}😀${'b'.repeat(PIECE)}`],
    ['text beyond Latin', '日本語'.repeat(PIECE)],
  ])('is SHA-256 of UTF-16: %s', async (_, text) => {
    const expected = createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex');
    expect(await hashText(text)).toBe(expected);
  });

  it('tells lone surrogates apart', async () => {
    expect(await hashText('\ud800')).not.toBe(await hashText('\ud801'));
  });

  it('lets the loop turn when its time is over', async () => {
    const { still, pieces } = await countSlices(() => hashText('a'.repeat(50 * PIECE)));
    expect(still).toBe(1);
    expect(pieces).toBeGreaterThanOrEqual(50);
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    const hashing = hashText('a'.repeat(50 * PIECE), controller.signal);
    controller.abort('enough');
    await expect(hashing).rejects.toBe('enough');
  });
});
