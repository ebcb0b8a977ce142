import { describe, expect, it } from 'vitest';
import { sampleInFreshProcess } from './fresh-process.ts';

const module = 'data:text/javascript,export const work = async () => { await null; };';

describe('sampleInFreshProcess', () => {
  it('measures an import, and a call, in a process of their own', async () => {
    const [imported, called] = await Promise.all([
      sampleInFreshProcess({ module, expectedExport: 'work' }),
      sampleInFreshProcess({ module, expectedExport: 'work', measure: 'call' }),
    ]);
    expect(imported.value).toBeGreaterThan(0);
    expect(imported.cpuMs).toBeGreaterThanOrEqual(0);
    expect(called.value).toBeGreaterThan(0);
  });

  it('rejects when the wrong thing was loaded', async () => {
    await expect(sampleInFreshProcess({ module, expectedExport: 'other' })).rejects.toThrow('no export other');
  });
});
