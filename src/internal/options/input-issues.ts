import type { ConfigIssue } from '../../errors/config-error.ts';
import { InputError } from '../../errors/input-error.ts';
import {
  check,
  describeKind,
  hasMethods,
  type OptionCheck,
  type OptionChecks,
  settingsOf,
  shape,
} from './option-checks.ts';
import type { Settings } from './option-spec.ts';

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

/**
 * Checks the options of a method, and gives them with their defaults.
 * @throws `DESCRIBE_INPUT_INVALID` that lists every wrong option.
 */
export function methodSettings<Options extends object, Spec extends OptionChecks<Options>>(
  options: Options,
  spec: Spec,
): Settings<Options, Spec> {
  throwInputIssues(shape(spec)(options, ''));
  return settingsOf(options, spec);
}

/** A signal of any realm or polyfill. */
export const abortSignal = (): OptionCheck =>
  check(
    'an AbortSignal',
    (value) => hasMethods(value, ['addEventListener', 'removeEventListener']) && 'aborted' in (value as object),
    describeKind,
  );
