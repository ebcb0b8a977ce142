import type { Family } from '../scenario.ts';
import { BULK } from './bulk.ts';
import { CACHE } from './cache.ts';
import { ENDINGS } from './endings.ts';
import { ENDPOINTS } from './endpoints.ts';
import { FAULTS } from './faults.ts';
import { INPUTS } from './inputs.ts';
import { PACKS } from './packs.ts';

/** All scenarios, 200 of them, in the order in which they are recorded. */
export const FAMILIES: readonly Family[] = [
  ...FAULTS,
  ...ENDINGS,
  ...ENDPOINTS,
  ...PACKS,
  ...CACHE,
  ...INPUTS,
  ...BULK,
];
