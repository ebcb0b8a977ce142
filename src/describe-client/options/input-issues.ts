import type { ConfigIssue } from '../../errors/config-error.ts';
import { InputError } from '../../errors/input-error.ts';
import { check, describeKind, hasMethods, type OptionCheck } from '../../internal/options/option-checks.ts';

/**
 * Turns the issues of checks into one error.
 * @throws `DESCRIBE_INPUT_INVALID` that names the first wrong field and lists all of them.
 */
export function throwInputIssues(issues: readonly ConfigIssue[]): void {
  const [first] = issues;
  if (first === undefined) return;
  const said = issues.map(({ option, expected, got }, index) =>
    index === 0 ? `expected ${expected}, got ${got}` : `${option}: expected ${expected}, got ${got}`,
  );
  throw new InputError(first.option, said.join('; '));
}

/** A signal of any realm or polyfill. */
export const abortSignal = (): OptionCheck =>
  check(
    'an AbortSignal',
    (value) => hasMethods(value, ['addEventListener', 'removeEventListener']) && 'aborted' in (value as object),
    describeKind,
  );
