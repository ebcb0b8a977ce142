import { describe, expect, it, onTestFinished, vi } from 'vitest';
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

  it('compiles anew, also where its own process finds compiled code', async () => {
    vi.stubEnv('NODE_COMPILE_CACHE', 'no-such-folder');
    onTestFinished(() => void vi.unstubAllEnvs());
    const source = `export const work = () => { if ('NODE_COMPILE_CACHE' in process.env) throw new Error('cached'); };`;
    const sample = sampleInFreshProcess({
      module: `data:text/javascript,${encodeURIComponent(source)}`,
      expectedExport: 'work',
      measure: 'call',
    });
    await expect(sample).resolves.toMatchObject({ value: expect.any(Number) });
  });

  it('rejects when the wrong thing was loaded', async () => {
    await expect(sampleInFreshProcess({ module, expectedExport: 'other' })).rejects.toThrow('no export other');
  });
});
