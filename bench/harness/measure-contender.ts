import { collectGarbage } from './collect-garbage.ts';
import type { PreparedContender, Suite } from './suite.ts';
import { allocationSlice, calibrate, type Slice, timedSlice, warmUp } from './timed-slice.ts';

export interface ContenderOptions {
  /** Overrides the suite's own slice. */
  readonly sliceMs?: number | undefined;
  /** Overrides the suite's own warm-up. */
  readonly warmUpMs?: number | undefined;
}

const DEFAULTS = { sliceMs: 60, warmUpMs: 200 } as const;

/** Measures one contender once, in this process: warm-up, a timed slice, and a slice that counts allocations. */
export async function measureContender(suite: Suite, name: string, options: ContenderOptions = {}): Promise<Slice> {
  const { contenders, teardown } = await suite.prepare();
  try {
    const contender = contenders.find((each) => each.name === name);
    if (contender === undefined) throw new RangeError(`${suite.name}: no contender is called ${name}`);
    return await measurePrepared(contender, {
      sliceMs: options.sliceMs ?? suite.sliceMs ?? DEFAULTS.sliceMs,
      warmUpMs: options.warmUpMs ?? suite.warmUpMs ?? DEFAULTS.warmUpMs,
    });
  } finally {
    await teardown();
  }
}

/** The same for a contender whose suite is prepared. */
export async function measurePrepared(
  contender: PreparedContender,
  { sliceMs, warmUpMs }: { readonly sliceMs: number; readonly warmUpMs: number },
): Promise<Slice> {
  collectGarbage();
  if (contender.kind === 'sampled') {
    const sample = await contender.sample();
    if (!(sample.value > 0)) throw new Error(`${contender.name}: a sample of ${sample.value} measures nothing`);
    return { ...sample, operations: 1 };
  }
  const rssBytes = process.memoryUsage.rss();
  const calibration = await calibrate(contender);
  await warmUp(contender, calibration, warmUpMs);
  collectGarbage();
  const slice = await timedSlice(contender, calibration, sliceMs);
  const peakBytes = Math.max(0, process.resourceUsage().maxRSS * 1024 - rssBytes);
  collectGarbage();
  return { ...slice, peakBytes, allocatedBytes: await allocationSlice(contender, calibration, sliceMs / 2) };
}
