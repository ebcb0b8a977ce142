import { describe, expect, it } from 'vitest';
import { runWorkload, WORKLOADS } from './refresh-ahead-workloads.fixture.ts';

/**
 * The least share of blocked calls that it saves. Half of them would make it a default. It saves about that only where
 * each key is read many times within the cost of a call, so it stays off.
 */
const SAVES: Readonly<Record<string, number>> = { 'burst catalogue': 0.4, 'Zipf 0.9': 0.03, scan: 0.03 };

describe('refresh ahead on synthetic workloads', () => {
  it.each(WORKLOADS)('saves blocked calls at no more than 3 % more paid ones: $name', async (workload) => {
    const off = await runWorkload(workload, 0);
    const on = await runWorkload(workload, 1);
    expect(off.blocked).toBeGreaterThan(200);
    expect(on.reads).toBe(off.reads);
    expect(1 - on.blocked / off.blocked).toBeGreaterThanOrEqual(SAVES[workload.name] ?? 1);
    expect(on.paid / off.paid).toBeLessThanOrEqual(1.03);
  });
});
