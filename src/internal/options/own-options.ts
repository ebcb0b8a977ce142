/**
 * Reads an option, also an inherited one, as of a class or of `Object.create(defaults)`. It reads nothing from the
 * prototype of all objects.
 */
export function optionOf(options: object, name: string): unknown {
  const value = (options as Readonly<Record<string, unknown>>)[name];
  return value === undefined || !(name in Object.prototype) || isBelowObject(options, name) ? value : undefined;
}

/** An option that can be looked for among others. */
interface NamedOption {
  readonly name: string;
  readonly isOptional: boolean;
}

/** The index, from `from` on, of the next option that was given or is required; `all.length` where there is none. */
export function nextGiven(options: object, all: readonly NamedOption[], from: number): number {
  let at = from;
  for (let option = all[at]; option !== undefined; option = all[at]) {
    if (!option.isOptional || (options as Readonly<Record<string, unknown>>)[option.name] !== undefined) break;
    at += 1;
  }
  return at;
}

/** The same as `optionOf` for all these names: each is the result's own, undefined where it was not given. */
export function optionsOf(options: object, names: readonly string[]): Record<string, unknown> {
  const own: Record<string, unknown> = {};
  for (const name of names) {
    const value = (options as Readonly<Record<string, unknown>>)[name];
    own[name] = value === undefined || !(name in Object.prototype) ? value : optionOf(options, name);
  }
  return own;
}

function isBelowObject(options: object, name: string): boolean {
  for (const level of levelsOf(options)) if (Object.hasOwn(level, name)) return true;
  return false;
}

/** The object and what it inherits from, without the prototype of all objects. */
function* levelsOf(options: object): Generator<object> {
  let level: unknown = options;
  while (typeof level === 'object' && level !== null && level !== Object.prototype) {
    yield level;
    level = Object.getPrototypeOf(level);
  }
}

/** No options at all, for a default: `{}` inherits what someone put on the prototype of all objects. */
export const NO_OPTIONS: Readonly<Record<string, undefined>> = Object.freeze(Object.create(null));

const EMPTY = {};

/**
 * The options of one call. They are the same object, unless something was assigned to the prototype of all objects.
 * Then they are a copy without that. It takes some nanoseconds, and does not notice properties that are not enumerable.
 */
export function callOptions<Options extends object | null | undefined>(options: Options): Options {
  if (options === undefined) return options;
  for (const _ in EMPTY) return withoutObjectPrototype(options);
  return options;
}

function withoutObjectPrototype<Options>(options: Options): Options {
  if (typeof options !== 'object' || options === null) return options;
  const own: object = Object.create(null);
  for (const level of levelsOf(options)) {
    for (const name of Reflect.ownKeys(level)) {
      if (name === 'constructor' || Object.hasOwn(own, name)) continue;
      const enumerable = Object.prototype.propertyIsEnumerable.call(level, name);
      Object.defineProperty(own, name, { value: Reflect.get(options, name), enumerable });
    }
  }
  return own as Options;
}
