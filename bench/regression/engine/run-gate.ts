import type { Random } from '../../harness/seeded-random.ts';
import type { ProcessSample } from '../process/plan.ts';
import { FIRST_LOOK, isLook } from '../statistics/families.ts';
import { BenchState, type Block, checkSample, type GateBench, type Side } from './gate-bench.ts';
import { CONFIRM_SHARE, MAX_BLOCKS } from './gate-settings.ts';
import { judgeConfirmation, judgeScreen } from './judge-look.ts';

export interface GatePorts {
  /** Measures one bench of one build in a process of its own. */
  measure(bench: GateBench, side: Side): Promise<ProcessSample>;
  nowMs(): number;
  readonly random: Random;
  /** Called after each round with what is known by then. */
  onRound?(progress: GateProgress): void;
}

export interface GateProgress {
  readonly stage: 'screen' | 'confirm';
  readonly round: number;
  readonly planned: number;
  /** Benches that are measured in the next round. */
  readonly open: readonly string[];
}

export interface GateRun {
  readonly states: readonly BenchState[];
  /** Planned blocks of a bench in the first stage. */
  readonly plannedBlocks: number;
  /** Blocks of a bench in the first stage, at most. */
  readonly rounds: number;
  readonly elapsedMs: number;
}

/**
 * Measures benches in two stages. The first runs a block of every bench a round, and looks for suspects; benches that
 * are surely the same are not measured again. The second measures the suspects anew, and only it can say `slower`.
 */
export async function runGate(benches: readonly GateBench[], budgetMs: number, ports: GatePorts): Promise<GateRun> {
  const states = benches.map((bench) => new BenchState(bench));
  const startedAtMs = ports.nowMs();
  const endAtMs = startedAtMs + budgetMs;
  const { planned, rounds } = await screen(states, endAtMs - budgetMs * CONFIRM_SHARE, endAtMs, ports);
  await confirm(states, endAtMs, ports);
  return { states, plannedBlocks: planned, rounds, elapsedMs: ports.nowMs() - startedAtMs };
}

async function screen(states: readonly BenchState[], deadlineAtMs: number, endAtMs: number, ports: GatePorts) {
  const startedAtMs = ports.nowMs();
  let planned = MAX_BLOCKS;
  let lastLook = 0;
  let round = 0;
  while (round < planned) {
    const open = states.filter(({ phase }) => phase === 'screening');
    if (open.length === 0) break;
    await runRound(open, 'screened', endAtMs, ports);
    round += 1;
    // By time alone, and once: a plan that followed the values would spend the chance of a false alarm twice.
    if (round === 1) planned = blocksWithin(deadlineAtMs - startedAtMs, ports.nowMs() - startedAtMs);
    const isLate = ports.nowMs() >= deadlineAtMs;
    if (isLook(round, planned) || isLate) {
      judgeScreen(states, lastLook / planned, round / planned);
      lastLook = round;
    }
    report('screen', round, planned, states, ports);
    // Without a suspect, a first stage with few blocks goes on in the time that was kept for the second.
    const goesOn = round < FIRST_LOOK && ports.nowMs() < endAtMs && states.every(({ phase }) => phase !== 'suspect');
    if (isLate && !goesOn) break;
  }
  return { planned, rounds: round };
}

async function confirm(states: readonly BenchState[], deadlineAtMs: number, ports: GatePorts): Promise<void> {
  const suspects = states.filter(({ phase }) => phase === 'suspect');
  if (suspects.length === 0) return;
  const startedAtMs = ports.nowMs();
  let planned = MAX_BLOCKS;
  let lastLook = 0;
  for (let round = 1; round <= planned; round += 1) {
    const open = suspects.filter(({ phase }) => phase === 'suspect');
    if (open.length === 0 || ports.nowMs() >= deadlineAtMs) return;
    await runRound(open, 'confirming', deadlineAtMs, ports);
    if (round === 1) planned = blocksWithin(deadlineAtMs - startedAtMs, ports.nowMs() - startedAtMs);
    if (isLook(round, planned) || ports.nowMs() >= deadlineAtMs) {
      judgeConfirmation(suspects, lastLook / planned, round / planned);
      lastLook = round;
    }
    report('confirm', round, planned, suspects, ports);
  }
}

/** Blocks that fit, and at least as many as the first look needs: a gate without data could say nothing. */
function blocksWithin(timeMs: number, roundMs: number): number {
  return Math.max(FIRST_LOOK, Math.min(MAX_BLOCKS, Math.floor(timeMs / roundMs)));
}

/** One block of each bench, in an order that changes, until the time is over. A bench that fails is out of the run. */
async function runRound(
  states: readonly BenchState[],
  into: 'screened' | 'confirming',
  endAtMs: number,
  ports: GatePorts,
): Promise<void> {
  for (const state of shuffled(states, ports.random)) {
    if (ports.nowMs() >= endAtMs) return;
    try {
      state[into].push(await measureBlock(state.bench, ports));
    } catch (cause) {
      state.phase = 'failed';
      state.error = cause instanceof Error ? cause : new Error(String(cause));
    }
  }
}

/** ABBA or BAAB: a drift of the machine through the block adds as much to either build. */
async function measureBlock(bench: GateBench, { measure, random }: GatePorts): Promise<Block> {
  const [outer, inner] = random() < 0.5 ? (['base', 'head'] as const) : (['head', 'base'] as const);
  const measureSide = async (side: Side) => checkSample(await measure(bench, side), bench);
  const first = await measureSide(outer);
  const second = await measureSide(inner);
  const third = await measureSide(inner);
  const last = await measureSide(outer);
  return outer === 'base'
    ? { base: [first, last], head: [second, third] }
    : { base: [second, third], head: [first, last] };
}

/** The Fisher-Yates shuffle. */
function shuffled<Item>(items: readonly Item[], random: Random): readonly Item[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(Math.floor(random() * rest.length), 1));
}

function report(
  stage: GateProgress['stage'],
  round: number,
  planned: number,
  states: readonly BenchState[],
  { onRound }: GatePorts,
): void {
  const open = states.filter(({ phase }) => phase === (stage === 'screen' ? 'screening' : 'suspect'));
  onRound?.({ stage, round, planned, open: open.map(({ bench }) => bench.name) });
}
