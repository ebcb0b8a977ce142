import { type Clock, MAX_TIMER_DELAY_MS, systemClock } from '../clock.ts';
import { ConfigError, type ConfigIssue, InputError } from '../modules/shared-chunk.bundled.ts';
import { nearestName } from './nearest-name.ts';
import { DEFAULT, defaultsOf, type Settings, withDefault } from './option-spec.ts';
import { callOptions, NO_OPTIONS, nextGiven, optionOf, optionsOf } from './own-options.ts';

/**
 * Checks one option, and returns its issues, none when it is right. `undefined` stands for the default and is right,
 * unless `required` wraps the check.
 */
export interface OptionCheck {
  (value: unknown, option: string): readonly ConfigIssue[];
  /** Copies an accepted value that nests options; see `ownOptions`. */
  readonly [OWN]?: ((value: unknown) => unknown) | undefined;
}

/** A symbol, because a name could be found on the prototype of all objects. */
const OWN = Symbol('own');

/** One check for every option that exists; a name outside it is an unknown option. */
export type OptionChecks<Options> = {
  readonly [Name in keyof Required<Options>]: OptionCheck & { readonly [DEFAULT]?: Options[Name] };
};

/**
 * Returns the options with every default of their spec, or throws one `ConfigError` that lists everything wrong with
 * them, unknown names included.
 */
export function checkOptions<Options extends object, Spec extends OptionChecks<Options> = OptionChecks<Options>>(
  owner: string,
  options: Options,
  spec: Spec,
): Settings<Options, Spec> {
  const issues = shape(spec)(options, '');
  if (issues.length > 0) throw new ConfigError(owner, issues);
  return settingsOf(options, spec);
}

/** The same for options that were checked before. */
export function settingsOf<Options extends object, Spec extends OptionChecks<Options>>(
  options: Options,
  spec: Spec,
): Settings<Options, Spec> {
  const settings = ownOptions(options, spec) as Record<string, unknown>;
  for (const [name, value] of Object.entries(defaultsOf(spec))) {
    if (settings[name] === undefined) settings[name] = value;
  }
  return settings as Settings<Options, Spec>;
}

/**
 * Copies options so that every known name is its own property, undefined where it was not given. Then no property of
 * the prototype of all objects is taken for an option, also when the copy is spread or destructured.
 */
export function ownOptions<Options extends object>(options: Options, checks: OptionChecks<Options>): Options {
  const own = optionsOf(options, Object.keys(checks));
  for (const [name, check] of Object.entries<OptionCheck>(checks)) {
    if (own[name] !== undefined) own[name] = copyBy(check, own[name]);
  }
  return own as Options;
}

/** Returns the copy that a check makes of an accepted value; the value itself where it makes none. */
export const copyBy = (check: OptionCheck | undefined, value: unknown): unknown => check?.[OWN]?.(value) ?? value;

/** Adds a copy function to a check. */
export const copying = (check: OptionCheck, copy: (value: unknown) => unknown): OptionCheck =>
  Object.assign<OptionCheck, object>((value, option) => check(value, option), { [OWN]: copy });

/** A nested options object, checked name by name. `meantBy` guesses which name was meant by an unknown one. */
export const shape = (
  checks: Readonly<Record<string, OptionCheck>>,
  meantBy: (name: string, known: readonly string[]) => string | undefined = nearestName,
): OptionCheck => {
  // An option that may be absent is checked only where it is given: most are not.
  const entries: readonly CheckedOption[] = Object.entries(checks).map(([name, check]) => ({
    name,
    check,
    isOptional: check(undefined, name).length === 0,
  }));
  return copying(
    (value, option) => {
      if (value === undefined && option !== '') return [];
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return [{ option: option || 'options', expected: 'an object', got: describeKind(value) }];
      }
      const prefix = option === '' ? '' : `${option}.`;
      const issues: ConfigIssue[] = [];
      for (const name of Object.keys(value)) {
        if (Object.hasOwn(checks, name)) continue;
        issues.push(unknownOption(name, prefix, meantBy(name, Object.keys(checks))));
        if (issues.length === MAX_UNKNOWN) break;
      }
      // Most options are not given: one search passes all of them by.
      for (let at = nextGiven(value, entries, 0); at < entries.length; at = nextGiven(value, entries, at + 1)) {
        const { name, check, isOptional } = entries[at] as CheckedOption;
        const given = optionOf(value, name);
        if (given === undefined && isOptional) continue;
        const found = check(given, prefix === '' ? name : `${prefix}${name}`);
        if (found.length > 0) issues.push(...found);
      }
      return issues;
    },
    (value) => (isObject(value) ? ownOptions(value, checks) : value),
  );
};

interface CheckedOption {
  readonly name: string;
  readonly check: OptionCheck;
  readonly isOptional: boolean;
}

export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Most unknown names in an error. A stranger's JSON may have thousands of names, or very long ones. */
const MAX_UNKNOWN = 10;
const MAX_NAME_SHOWN = 64;

const unknownOption = (given: string, prefix: string, nearest: string | undefined): ConfigIssue => {
  const name = given.length <= MAX_NAME_SHOWN ? given : `${given.slice(0, MAX_NAME_SHOWN - 1)}…`;
  const expected = nearest === undefined ? 'a known option' : `a known option (did you mean ${prefix}${nearest}?)`;
  return { option: `${prefix}${name}`, expected, got: 'an unknown name' };
};

/** A check by a test of the value. `show` describes the given value in an issue. */
export const check =
  (expected: string, accepts: (value: unknown) => boolean, show = describeValue): OptionCheck =>
  (value, option) =>
    value === undefined || accepts(value) ? [] : [{ option, expected, got: show(value) }];

/** The same check, for which a missing value is wrong too. */
export const required = (inner: OptionCheck, expected = 'a value'): OptionCheck =>
  copying(
    (value, option) => (value === undefined ? [{ option, expected, got: 'nothing' }] : inner(value, option)),
    (value) => copyBy(inner, value),
  );

export interface NumberBounds {
  readonly min?: number;
  readonly max?: number;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

const boundsOf = (given: NumberBounds, usual: Partial<Bounds> = NO_OPTIONS): Bounds => {
  const { min = usual.min, max = usual.max } = callOptions(given);
  return { min: min ?? Number.NEGATIVE_INFINITY, max: max ?? Number.POSITIVE_INFINITY };
};

const boundsText = ({ min, max }: Bounds) => {
  if (Number.isFinite(min) && Number.isFinite(max)) return ` from ${min} to ${max}`;
  if (Number.isFinite(min)) return ` of at least ${min}`;
  return Number.isFinite(max) ? ` of at most ${max}` : '';
};

const numberWithin = (what: string, bounds: Bounds, accepts: (value: unknown) => boolean): OptionCheck =>
  check(
    `${what}${boundsText(bounds)}`,
    (value) => typeof value === 'number' && accepts(value) && value >= bounds.min && value <= bounds.max,
  );

/** A finite whole number within bounds, both inclusive. */
export const integer = (bounds: NumberBounds = NO_OPTIONS): OptionCheck =>
  numberWithin('a whole number', boundsOf(bounds), Number.isSafeInteger);

/** A finite number within bounds, both inclusive. */
export const finiteNumber = (bounds: NumberBounds = NO_OPTIONS): OptionCheck =>
  numberWithin('a number', boundsOf(bounds), Number.isFinite);

/** A duration in milliseconds that a timer can hold (at most 2^31 - 1, about 24.8 days). */
export const milliseconds = (bounds: NumberBounds = NO_OPTIONS): OptionCheck =>
  numberWithin('milliseconds', boundsOf(bounds, { min: 1, max: MAX_TIMER_DELAY_MS }), Number.isFinite);

/** A share from 0 to 1. */
export const ratio = (): OptionCheck => finiteNumber({ min: 0, max: 1 });

export const boolean = (): OptionCheck => check('true or false', (value) => typeof value === 'boolean');

export const text = (): OptionCheck => check('a string', (value) => typeof value === 'string');

export const nonEmptyText = (): OptionCheck =>
  check('a non-empty string', (value) => typeof value === 'string' && value.trim() !== '');

/** A non-empty string of bounded length. */
export const boundedText = (maxLength: number): OptionCheck =>
  check(
    `a non-empty string of at most ${maxLength} characters`,
    (value) => typeof value === 'string' && value.trim() !== '' && value.length <= maxLength,
  );

/** A non-empty string whose value is never shown. */
export const secret = (): OptionCheck =>
  check('a non-empty string', (value) => typeof value === 'string' && value.trim() !== '', describeSecret);

export const oneOf = (...choices: readonly (string | number | boolean)[]): OptionCheck =>
  check(`one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`, (value) =>
    choices.includes(value as string),
  );

export const callable = (): OptionCheck => check('a function', (value) => typeof value === 'function', describeKind);

/** An object, or class instance, that has all these methods. */
export const withMethods = (expected: string, ...methods: readonly string[]): OptionCheck =>
  check(
    expected,
    (value) => hasMethods(value, methods),
    (value) => (isObject(value) ? `${describeKind(value)} without ${lackedBy(value, methods)}` : describeKind(value)),
  );

const lackedBy = (value: object, methods: readonly string[]): string =>
  methods.filter((method) => !hasMethods(value, [method])).join(', ');

/** Whether a value has all these methods. Instances are recognised by this: `instanceof` fails across copies. */
export function hasMethods(value: unknown, methods: readonly string[]): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function');
}

/** The option `clock`. */
export const clockOption = withDefault(
  withMethods('a clock', 'now', 'setTimeout', 'clearTimeout'),
  systemClock as Clock,
);

/** Not an array, `Map` or `Headers`, whose contents are not properties. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !(Symbol.iterator in value);

/** A flat object of strings, such as headers or labels. Values are not shown. */
export const textRecord = (): OptionCheck =>
  check(
    'a plain object of strings',
    (value) => isRecord(value) && Object.values(value).every((entry) => typeof entry === 'string'),
    describeSecret,
  );

/** An array each of whose elements passes `element`. */
export const listOf = (element: OptionCheck): OptionCheck =>
  copying(
    (value, option) => {
      if (value === undefined) return [];
      if (!Array.isArray(value)) return [{ option, expected: 'an array', got: describeKind(value) }];
      return value.flatMap((entry, index) => required(element)(entry, `${option}[${index}]`));
    },
    (value) => (Array.isArray(value) ? value.map((entry: unknown) => copyBy(element, entry)) : value),
  );

/** Picks the check by the value: the first case whose test accepts it, else `otherwise`. */
export const whichever = (
  cases: readonly (readonly [(value: unknown) => boolean, OptionCheck])[],
  otherwise: OptionCheck,
): OptionCheck => {
  const checkOf = (value: unknown) => cases.find(([accepts]) => accepts(value))?.[1] ?? otherwise;
  return copying(
    (value, option) => (value === undefined ? [] : checkOf(value)(value, option)),
    (value) => (value === undefined ? undefined : copyBy(checkOf(value), value)),
  );
};

/** Accepts everything. It is for options that another constructor checks. */
export const anything = (): OptionCheck => () => [];

/** Length of the names of models and endpoints: they become keys of maps and labels of metrics. */
export const MAX_MODEL_LENGTH = 256;

/** The error for a wrong argument of a method. `show` describes the given value, as in an issue. */
export const wrongInput = (field: string, expected: string, value: unknown, show = describeValue): InputError =>
  new InputError(field, `expected ${expected}, got ${show(value)}`);

const LONGEST_SHOWN = 40;

/** Describes a value in a few words, short enough for an error. Not for secrets. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') {
    return value.length <= LONGEST_SHOWN ? JSON.stringify(value) : `a string of ${value.length} characters`;
  }
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/**
 * Describes a value where no string is expected. A string there is often a key, or a URL with a password, in the wrong
 * place. So it is not shown.
 */
export function describeKind(value: unknown): string {
  return typeof value === 'string' ? describeSecret(value) : describeValue(value);
}

export function describeSecret(value: unknown): string {
  if (typeof value === 'string') return value.trim() === '' ? 'an empty string' : 'a string (not shown)';
  return typeof value === 'object' && value !== null ? 'an object (not shown)' : `a ${typeof value}`;
}
