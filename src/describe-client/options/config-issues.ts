import { ConfigError, type ConfigIssue } from '../../errors/config-error.ts';
import { DescribeError } from '../../errors/describe-error.ts';

/** Gathers everything wrong with a configuration of many parts, so that one error can list it. */
export class ConfigIssues {
  readonly #issues: ConfigIssue[] = [];

  get any(): boolean {
    return this.#issues.length > 0;
  }

  add(issues: readonly ConfigIssue[]): void {
    this.#issues.push(...issues);
  }

  /** Whether something is wrong with that option or with a part of it. */
  has(option: string): boolean {
    return this.#issues.some(
      (issue) => issue.option === option || ['.', '['].some((sign) => issue.option.startsWith(option + sign)),
    );
  }

  /**
   * Makes a part from an option of the client. What its constructor finds wrong is gathered under the option's name,
   * and what is wrong already is not tried. `ownerOf` names the option of an issue where it is another.
   */
  attempt<Part>(option: string, make: () => Part, ownerOf: (name: string) => string = () => option): Part | undefined {
    if (this.has(option)) return undefined;
    try {
      return make();
    } catch (error) {
      if (!DescribeError.is(error, 'DESCRIBE_CONFIG_INVALID')) throw error;
      const { issues } = error as ConfigError;
      this.add(issues.map((issue) => ({ ...issue, option: joined(ownerOf(issue.option), issue.option) })));
      return undefined;
    }
  }

  /** @throws `DESCRIBE_CONFIG_INVALID` that lists everything, when there is anything. */
  throwIfAny(owner: string): void {
    if (this.any) throw new ConfigError(owner, this.#issues);
  }
}

const joined = (owner: string, name: string) => (owner === '' ? name : `${owner}.${name}`);
