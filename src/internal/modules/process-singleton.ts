/** Major version of the package. Only copies of one major share singletons. A test compares it with package.json. */
export const MAJOR_VERSION = 0;

/**
 * Gives the one value of that name in this process. It is kept on `globalThis` under a registered symbol, so that ESM
 * and CJS copies, every entry point and a hot-reloading dev server share it.
 */
export function processSingleton<Value extends object>(name: string, create: () => Value): Value {
  const key = Symbol.for(`@describe-it/sdk/${name}@${MAJOR_VERSION}`);
  const store = globalThis as unknown as Record<symbol, Value | undefined>;
  let value = store[key];
  if (value === undefined) {
    value = create();
    store[key] = value;
  }
  return value;
}
