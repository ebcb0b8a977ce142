/** What a worker of Vitest ignores at this moment; see `ignore.ts` for the places that ask. */
let current: { readonly owner: string; readonly path: readonly string[] } | undefined;

/**
 * Ignores an option from now on, or nothing. It is named by its owner and its path: `client.limits.maxConcurrency`,
 * `client.endpoints.[].weight`, `member.health`.
 */
export function ignore(option: string | undefined): void {
  const [owner = '', ...path] = option?.split(/\.(?!asyncDispose)/) ?? [];
  current = option === undefined ? undefined : { owner, path };
}

/** An object that may be options; not an instance of the user's. */
const isOptions = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));

/** Options without the one at a path; `[]` stands for every element of a list. */
function without(value: unknown, [name = '', ...rest]: readonly string[]): unknown {
  if (name === '[]') return Array.isArray(value) ? value.map((element: unknown) => without(element, rest)) : value;
  if (!isOptions(value)) return value;
  return { ...value, [name]: rest.length === 0 ? undefined : without(value[name], rest) };
}

/** A value without the ignored option of its owner; the value itself where none is ignored. */
function ignored(owner: string, value: unknown, defaults?: () => Readonly<Record<string, unknown>>): unknown {
  if (current?.owner !== owner) return value;
  const { path } = current;
  const [name = '', ...rest] = path;
  if (owner === 'member') return name === value ? undefined : value;
  // A request may be an instance of the caller's class, with getters.
  if (owner === 'request') return Object.create(value as object, { [name]: { value: undefined } });
  return rest.length === 0 && defaults !== undefined
    ? { ...(value as object), [name]: defaults()[name] }
    : without(value, path);
}

Object.assign(globalThis, { ignored });
