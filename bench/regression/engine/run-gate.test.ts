import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import type { ProcessSample } from '../process/plan.ts';
import type { GateBench, Side } from './gate-bench.ts';
import { type GateProgress, runGate } from './run-gate.ts';
import { judgeRun } from './verdict.ts';

const bench = (name: string, more: Partial<GateBench> = {}): GateBench => ({
  name,
  clock: 'cpu',
  measures: ['cpu', 'wall'],
  ...more,
});

const PROCESS_MS = 100;

/** A gate in virtual time. Each process takes as long, and its values are those of `valuesOf` with little noise. */
async function gate(
  benches: readonly GateBench[],
  valuesOf: (name: string, side: Side) => Partial<ProcessSample> | Error,
  budgetMs = 60_000,
  seed = 3,
) {
  const random = seededRandom(seed);
  const order: { readonly name: string; readonly side: Side }[] = [];
  const progress: GateProgress[] = [];
  let nowMs = 0;
  const run = await runGate(benches, budgetMs, {
    random,
    nowMs: () => nowMs,
    onRound: (round) => progress.push(round),
    measure: async ({ name }, side) => {
      order.push({ name, side });
      nowMs += PROCESS_MS;
      const value = valuesOf(name, side);
      if (value instanceof Error) throw value;
      const noise = 1 + 0.01 * (random() - 0.5);
      return { cpu: 10 * noise, wall: 20 * noise, ...value };
    },
  });
  return { run, order, progress, nowMs, reports: judgeRun(run) };
}

const slowBy =
  (slow: string, ratio: number, measure: 'cpu' | 'wall' | 'memory' = 'cpu') =>
  (name: string, side: Side): Partial<ProcessSample> =>
    name === slow && side === 'head' ? { [measure]: (measure === 'wall' ? 20 : 10) * (1 + ratio) } : {};

describe('runGate', () => {
  it('measures in blocks of ABBA or BAAB, both of them, and each bench once a round', async () => {
    const { order } = await gate([bench('one'), bench('two')], () => ({}));
    const blocks = Array.from({ length: order.length / 4 }, (_, block) => order.slice(4 * block, 4 * block + 4));
    const shapes = new Set(blocks.map((block) => block.map(({ side }) => side).join(' ')));
    expect([...shapes].sort()).toEqual(['base head head base', 'head base base head']);
    for (const block of blocks) expect(new Set(block.map(({ name }) => name)).size).toBe(1);
    for (let round = 0; 2 * round < blocks.length; round += 1) {
      const names = blocks.slice(2 * round, 2 * round + 2).map(([first]) => first?.name);
      expect(names.sort()).toEqual(['one', 'two']);
    }
  });

  it('repeats its order for the same seed', async () => {
    const [first, second, other] = [
      await gate([bench('one'), bench('two')], () => ({}), 60_000, 1),
      await gate([bench('one'), bench('two')], () => ({}), 60_000, 1),
      await gate([bench('one'), bench('two')], () => ({}), 60_000, 2),
    ];
    expect(second.order).toEqual(first.order);
    expect(other.order).not.toEqual(first.order);
  });

  it('confirms a slowdown by blocks of its own, and calls the others the same', async () => {
    const { run, reports } = await gate([bench('one'), bench('two'), bench('three')], slowBy('two', 0.25));
    expect(reports.map(({ verdict }) => verdict)).toEqual(['same', 'slower', 'same']);
    expect(reports[1]).toMatchObject({ slowerBy: ['cpu'], unconfirmed: false });
    const [, slow] = run.states;
    expect(slow?.screened).toHaveLength(4);
    expect(slow?.confirming.length).toBeGreaterThanOrEqual(4);
    const [cpu] = reports[1]?.measures ?? [];
    expect(cpu?.change).toBeCloseTo(0.25, 2);
  });

  it.each(['wall', 'memory'] as const)('also finds what only shows in %s', async (measure) => {
    const measures = ['cpu', 'wall', 'memory'] as const;
    const value = (name: string, side: Side) => ({ memory: 10, ...slowBy('one', 0.3, measure)(name, side) });
    const { reports } = await gate([bench('one', { measures })], value);
    expect(reports[0]).toMatchObject({ verdict: 'slower', slowerBy: [measure] });
  });

  it('does not repeat what the first stage suspected by chance', async () => {
    let processes = 0;
    const { reports } = await gate([bench('one')], (_, side) => {
      processes += 1;
      return processes <= 16 && side === 'head' ? { cpu: 15 } : {};
    });
    expect(reports[0]).toMatchObject({ verdict: 'same', unconfirmed: false });
    expect(reports[0]?.confirmingBlocks.length).toBeGreaterThan(0);
  });

  it('calls a bench faster without an alarm', async () => {
    const { reports } = await gate([bench('one')], slowBy('one', -0.2));
    expect(reports[0]?.verdict).toBe('faster');
  });

  it('takes a failed process for an error, never for the same, and goes on with the others', async () => {
    let processes = 0;
    const { reports } = await gate([bench('one'), bench('two')], (name) => {
      if (name === 'one') processes += 1;
      return name === 'one' && processes > 10 ? new Error('the work check failed') : {};
    });
    expect(reports.map(({ verdict }) => verdict)).toEqual(['error', 'same']);
    expect(reports[0]?.error).toBe('the work check failed');
  });

  it('takes a value that is no number above 0 for an error', async () => {
    const { reports } = await gate([bench('one')], () => ({ cpu: 0 }));
    expect(reports[0]).toMatchObject({
      verdict: 'error',
      error: expect.stringContaining('cpu must be a number above 0'),
    });
  });

  it('stops with its budget, and then cannot tell', async () => {
    const BUDGET_MS = 1_000;
    const { reports, nowMs } = await gate([bench('one'), bench('two')], slowBy('one', 0.5), BUDGET_MS);
    // A block that has begun is finished.
    expect(nowMs).toBeLessThanOrEqual(BUDGET_MS + 4 * PROCESS_MS);
    expect(reports.map(({ verdict }) => verdict)).toEqual(['cannot tell', 'cannot tell']);
    expect(reports[0]?.measures[0]?.detectable ?? null).toBeNull();
  });

  it('gives eight benches at least six blocks in two minutes, at half a second a process', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `bench ${index}`);
    const random = seededRandom(9);
    const loud = () => ({ cpu: Math.exp(0.2 * (random() - 0.5)), wall: Math.exp(random()) });
    const scale = PROCESS_MS / 450;
    const { reports, nowMs } = await gate(
      names.map((name) => bench(name)),
      loud,
      110_000 * scale,
    );
    for (const { blocks } of reports) expect(blocks.length).toBeGreaterThanOrEqual(6);
    expect(nowMs).toBeLessThanOrEqual(112_000 * scale);
  });
});
