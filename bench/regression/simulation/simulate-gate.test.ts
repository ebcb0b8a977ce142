import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { type RecordedNoise, type SimulationOptions, simulateGate } from './simulate-gate.ts';

/** Process medians of this project's benches, measured while many other processes kept both cores busy. */
const recorded = JSON.parse(readFileSync(new URL('./recorded-noise.fixture.json', import.meta.url), 'utf8')) as Record<
  string,
  RecordedNoise
>;

/** A machine with one busy core is quieter than the recorded one. By how much is a guess. */
const QUIETER = 0.3;

const random = seededRandom(11);
const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Noise of Student's t with two degrees of freedom: no variance at all. */
const heavyTail = () => (0.03 * gauss()) / Math.sqrt((gauss() ** 2 + gauss() ** 2) / 2);

/** Each process takes over seven tenths of the deviation of the one before. */
const autocorrelated = () => {
  let last = 0;
  return () => {
    last = 0.7 * last + 0.7 * heavyTail();
    return last;
  };
};

const eightBenches = (make: () => () => number): Record<string, RecordedNoise> =>
  Object.fromEntries(
    Array.from({ length: 8 }, (_, index) => {
      const draw = make();
      const values = () => Array.from({ length: 300 }, () => Math.exp(draw()));
      return [`bench ${index}`, { cpu: values(), wall: values() }];
    }),
  );

interface Tally {
  readonly caught: number;
  readonly alarms: number;
  readonly same: number;
}

/** Runs of the whole gate. An alarm names a bench that nobody slowed. */
async function tally(options: Omit<SimulationOptions, 'seed' | 'slowdown'>, runs: number, ratio = 0): Promise<Tally> {
  const names = Object.keys(options.noise);
  let [caught, alarms, same] = [0, 0, 0];
  for (let run = 0; run < runs; run += 1) {
    const bench = names[run % names.length] ?? '';
    const slowdown = ratio > 0 ? { slowdown: { bench, ratio } } : {};
    const reports = await simulateGate({ ...options, seed: 1_000 + run, ...slowdown });
    const slower = reports.filter(({ verdict }) => verdict === 'slower').map(({ name }) => name);
    if (slower.some((name) => name !== bench || ratio === 0)) alarms += 1;
    if (ratio > 0 && slower.length === 1 && slower[0] === bench) caught += 1;
    same += reports.filter(({ verdict }) => verdict === 'same').length;
  }
  return { caught, alarms, same };
}

const RUNS = 80;

describe('the whole gate on recorded noise, eight benches in two minutes', () => {
  it.each([1, QUIETER])('raises hardly an alarm where nothing changed (noise × %d)', async (noiseScale) => {
    // The two stages allow 0.5 · 0.05 of the runs, which is 2 of 80.
    expect((await tally({ noise: recorded, noiseScale }, RUNS)).alarms).toBeLessThanOrEqual(2);
  });

  it('catches 25 % in 19 of 20 runs and 15 % in 16 of 20, and blames no other bench', async () => {
    const quarter = await tally({ noise: recorded, noiseScale: QUIETER }, RUNS, 0.25);
    expect(quarter.caught).toBeGreaterThanOrEqual(0.95 * RUNS);
    const less = await tally({ noise: recorded, noiseScale: QUIETER }, RUNS, 0.15);
    expect(less.caught).toBeGreaterThanOrEqual(0.8 * RUNS);
    expect(quarter.alarms + less.alarms).toBeLessThanOrEqual(2);
  });
});

describe('the whole gate on made-up noise', () => {
  it('raises hardly an alarm under heavy tails that last from one process to the next', async () => {
    expect((await tally({ noise: eightBenches(autocorrelated) }, RUNS)).alarms).toBeLessThanOrEqual(2);
  });

  it('catches 25 % and 15 % under heavy tails', async () => {
    const noise = eightBenches(() => heavyTail);
    expect((await tally({ noise }, RUNS, 0.25)).caught).toBeGreaterThanOrEqual(0.95 * RUNS);
    expect((await tally({ noise }, RUNS, 0.15)).caught).toBeGreaterThanOrEqual(0.8 * RUNS);
  });

  it('calls a bench the same only where the machine is quiet enough, and never slower by chance', async () => {
    const quiet = await tally({ noise: eightBenches(() => () => 0.01 * gauss()) }, 10);
    expect(quiet).toMatchObject({ same: 80, alarms: 0 });
    const loud = await tally({ noise: eightBenches(() => () => 0.5 * gauss()) }, 10);
    expect(loud).toMatchObject({ same: 0, alarms: 0 });
  });

  it('reports no change that is certain and below 5 %', async () => {
    const noise = eightBenches(() => () => 0.002 * gauss());
    expect(await tally({ noise }, 8, 0.03)).toMatchObject({ caught: 0, alarms: 0 });
  });
});
