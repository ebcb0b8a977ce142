import { DescribeError } from '../../errors/describe-error.ts';
import { childController } from '../../internal/async/signals.ts';
import type { Clock } from '../../internal/clock.ts';
import type { ModelCatalog } from '../../openai/models/model-catalog.ts';
import type { PackingAdvisor } from '../packing/packing-advisor.ts';
import { type PackRules, packingCost } from '../packing/packing-cost.ts';
import type { AskVision } from './vision-asker.ts';

/** Ends a single call that should join a pack. */
const JOINS = Symbol('joins a pack');

export interface PackingChoiceParts {
  readonly singly: AskVision;
  readonly packed: AskVision;
  readonly advisor: PackingAdvisor;
  /** `auto` packs only where it is advised, `always` unless it is advised against. */
  readonly mode: 'auto' | 'always';
  readonly rules: PackRules;
  readonly catalog: ModelCatalog;
  readonly clock: Clock;
}

/**
 * Sends packed or single requests, as is advised at the moment. A single call that is still queued when packing becomes
 * advisable joins a pack. So calls that came before the limit was known do not use it up one by one.
 */
export function askAsAdvised({ singly, packed, advisor, mode, rules, catalog, clock }: PackingChoiceParts): AskVision {
  return async (image, request, bounds, trace) => {
    // An answer about several images cannot be delivered as it arrives.
    if (bounds.log !== undefined) return singly(image, request, bounds, trace);
    const { model } = request;
    const cost = packingCost(image, request, catalog, rules);
    // A call with less time would spend most of it on the wait for a full pack.
    const hasTime = () => bounds.deadlineAtMs - clock.now() >= 2 * rules.maxBatchWaitMs;
    const joins = () => cost.packSize > 1 && hasTime() && advisor.advise(model, cost) === 'pack';
    const advice = advisor.advise(model, cost);
    if (hasTime() && (mode === 'always' ? advice !== 'singly' : joins())) {
      return packed(image, request, bounds, trace);
    }
    const child = childController(bounds.signal);
    const look = () => joins() && child.abort(JOINS);
    const followed = advisor.follow({ model, waits: () => trace.waits(), look });
    try {
      return await singly(image, request, { ...bounds, signal: child.signal }, trace, followed.waits);
    } catch (error) {
      bounds.signal.throwIfAborted();
      // The call had too little time in a queue that packs leave sooner, or used up its attempts.
      if (error !== JOINS && !(DescribeError.is(error, 'DESCRIBE_RATE_LIMITED') && joins())) throw error;
    } finally {
      followed.end();
      child.detach();
    }
    return packed(image, request, bounds, trace);
  };
}
