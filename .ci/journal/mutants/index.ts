import { ATTEMPT_MUTANTS } from './attempt.ts';
import { CACHE_MUTANTS } from './cache.ts';
import { CALL_MUTANTS } from './call.ts';
import type { Mutant } from './mutant.ts';
import { PACK_MUTANTS } from './packs.ts';
import { PART_MUTANTS } from './parts.ts';

export const MUTANTS: readonly Mutant[] = [
  ...ATTEMPT_MUTANTS,
  ...CACHE_MUTANTS,
  ...PACK_MUTANTS,
  ...CALL_MUTANTS,
  ...PART_MUTANTS,
];
