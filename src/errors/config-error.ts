import { DescribeError, setErrorName } from './describe-error.ts';

/** One wrong option. */
export interface ConfigIssue {
  /** Name of the option, dotted where nested, or of the environment variable. */
  readonly option: string;
  readonly expected: string;
  /** The given value in a few words; never a secret's. */
  readonly got: string;
}

/** Options or environment variables are wrong. `issues` lists all of them. */
export class ConfigError extends DescribeError {
  readonly issues: readonly ConfigIssue[];

  constructor(owner: string, issues: readonly ConfigIssue[]) {
    const list = issues.map(({ option, expected, got }) => `${option}: expected ${expected}, got ${got}`);
    super('DESCRIBE_CONFIG_INVALID', `${owner}: ${list.join('; ')}`);
    this.issues = Object.freeze([...issues]);
  }
}

setErrorName(ConfigError, 'ConfigError');
