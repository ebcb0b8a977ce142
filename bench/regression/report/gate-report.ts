import { availableParallelism, cpus } from 'node:os';
import { CONFIRM_ALPHA, MIN_EFFECT, SCREEN_ALPHA } from '../engine/gate-settings.ts';
import type { GateOutcome } from '../engine/measure-builds.ts';

/** The findings of a run, as `--json` writes them. Additions keep the version; a change of a field raises it. */
export interface GateReport extends GateOutcome {
  readonly version: 1;
  /** `slower`: at least one bench. `error`: a bench failed, and none is slower. */
  readonly outcome: 'slower' | 'error' | 'passed';
  readonly base: Build;
  readonly head: Build;
  readonly seed: number;
  readonly settings: { readonly minEffect: number; readonly screenAlpha: number; readonly confirmAlpha: number };
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number };
}

export interface Build {
  /** Commit, where there is one. */
  readonly commit?: string;
  /** How it was chosen, in words. */
  readonly described: string;
}

export function reportOf(
  outcome: GateOutcome,
  { base, head, seed }: { readonly base: Build; readonly head: Build; readonly seed: number },
): GateReport {
  const has = (verdict: string) => outcome.reports.some((report) => report.verdict === verdict);
  return {
    version: 1,
    outcome: has('slower') ? 'slower' : has('error') ? 'error' : 'passed',
    base,
    head,
    seed,
    settings: { minEffect: MIN_EFFECT, screenAlpha: SCREEN_ALPHA, confirmAlpha: CONFIRM_ALPHA },
    machine: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism() },
    ...outcome,
  };
}

/** 0: nothing is slower. 1: something is. 3: a bench failed. */
export const exitCodeOf = ({ outcome }: GateReport): 0 | 1 | 3 =>
  outcome === 'slower' ? 1 : outcome === 'error' ? 3 : 0;
