import { LOAD_SCENARIOS } from '../../src/testing/index.ts';

/** Tests that are more than a scenario. */
export const SOAK_TEST = 'mixed traffic (soak)';
export const HTTP_TEST = 'http: Express example';

const SCENARIOS = Object.keys(LOAD_SCENARIOS).filter((name) => name !== 'mixed traffic');

/** All names, the longest test last. */
export const LOAD_TESTS: readonly string[] = [...SCENARIOS, HTTP_TEST, SOAK_TEST];

/** Names that contain a text, in any case. */
export const testsMatching = (grep: string | undefined): readonly string[] =>
  LOAD_TESTS.filter((name) => name.toLowerCase().includes((grep ?? '').toLowerCase()));
