import { ConfigError, type ConfigIssue } from '../../errors/config-error.ts';
import type { OptionCheck } from './option-checks.ts';
import { variableOf } from './option-spec.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The options of a spec that the environment gives, and the issues of its variables. */
export interface EnvironmentOptions<Options> {
  readonly options: Partial<Options>;
  readonly issues: readonly ConfigIssue[];
}

/**
 * Reads the options of a spec that have an environment variable. A variable that is not set, or empty, gives none.
 * @throws `DESCRIBE_CONFIG_INVALID` that names every variable whose value does not parse.
 */
export function readEnvironment<Options>(
  spec: { readonly [Name in keyof Options]: OptionCheck },
  environment: Environment = process.env,
): Partial<Options> {
  const { options, issues } = parseEnvironment<Options>(spec, environment);
  if (issues.length > 0) throw new ConfigError('environment', issues);
  return options;
}

/** The same without throwing, for a caller that lists these issues among its own. */
export function parseEnvironment<Options>(
  spec: { readonly [Name in keyof Options]: OptionCheck },
  environment: Environment,
): EnvironmentOptions<Options> {
  // Without a prototype: an option that is not set must not be found there.
  const options: Record<string, unknown> = Object.create(null);
  const issues: ConfigIssue[] = [];
  for (const [option, check] of Object.entries<OptionCheck>(spec)) {
    const variable = variableOf(check);
    const raw = variable === undefined ? '' : (environment[variable]?.trim() ?? '');
    if (variable === undefined || raw === '') continue;
    const value = [raw, wholeNumber(raw), truth(raw)].find(
      (candidate) => candidate !== undefined && check(candidate, variable).length === 0,
    );
    if (value === undefined) issues.push(...check(raw, variable));
    else options[option] = value;
  }
  return { options: options as Partial<Options>, issues };
}

const wholeNumber = (raw: string): number | undefined => (/^\d+$/.test(raw) ? Number(raw) : undefined);

const truth = (raw: string): boolean | undefined => {
  if (/^(true|1|yes|on)$/i.test(raw)) return true;
  return /^(false|0|no|off)$/i.test(raw) ? false : undefined;
};
