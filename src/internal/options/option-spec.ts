/** Symbols, because a name could be found on the prototype of all objects. */
export const DEFAULT = Symbol('default');
const VARIABLE = Symbol('variable');

export interface Defaulted<Value> {
  readonly [DEFAULT]: Value;
}

export interface FromEnvironment {
  readonly [VARIABLE]: string;
}

/**
 * An option's check with its default. The interface of the options holds the type and the doc comment; a test compares
 * its `@defaultValue` with the default here.
 */
export const withDefault = <Check extends object, const Value>(check: Check, value: Value): Check & Defaulted<Value> =>
  extended(check, { [DEFAULT]: value });

/** An option's check with the environment variable that replaces it where the environment is read. */
export const fromVariable = <Check extends object>(variable: string, check: Check): Check & FromEnvironment =>
  extended(check, { [VARIABLE]: variable });

/** Copies the check, because one may serve several options. */
function extended<Check extends object, More extends object>(check: Check, more: More): Check & More {
  const call = check as unknown as (value: unknown, option: string) => unknown;
  return Object.assign((value: unknown, option: string) => call(value, option), check, more) as unknown as Check & More;
}

/** Options with their defaults: a name whose spec has a default is never undefined. */
export type Settings<Options, Spec> = {
  readonly [Name in keyof Required<Options>]: Name extends keyof Spec
    ? Spec[Name] extends Defaulted<unknown>
      ? Exclude<Options[Name], undefined>
      : Options[Name]
    : never;
};

type Defaults<Spec> = {
  readonly [Name in keyof Spec as Spec[Name] extends Defaulted<unknown> ? Name : never]: Spec[Name] extends Defaulted<
    infer Value
  >
    ? Value
    : never;
};

/** The defaults of a spec, for those who need one without any options. */
export function defaultsOf<Spec extends object>(spec: Spec): Defaults<Spec> {
  const defaulted = Object.entries<object>(spec as Record<string, object>).filter(([, check]) => DEFAULT in check);
  return Object.fromEntries(
    defaulted.map(([name, check]) => [name, (check as Defaulted<unknown>)[DEFAULT]]),
  ) as Defaults<Spec>;
}

/** The environment variable of an option, where it has one. */
export const variableOf = (check: object): string | undefined => (check as Partial<FromEnvironment>)[VARIABLE];
