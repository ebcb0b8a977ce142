import { ConfigError } from '../errors/config-error.ts';

/**
 * The named exports of a CommonJS package that was loaded by `import()`. Some bundlers (ncc, webpack before 5.95) and
 * loaders give a namespace that has only `default`.
 */
export function namedExportsOf<Module extends object>(namespace: Module, name: keyof Module): Module {
  if (namespace[name] !== undefined) return namespace;
  return (namespace as { readonly default?: Module }).default ?? namespace;
}

/**
 * What to throw when `import(name)` failed: a `ConfigError` that says what to install when the package is absent,
 * otherwise the failure itself. The `import()` has to stand in a `try` at its caller, which tells bundlers that the
 * package may be absent.
 */
export function peerFailure(owner: string, name: string, cause: unknown): unknown {
  if (!isAbsent(name, cause)) return cause;
  const issue = { option: name, expected: `an installed package (npm install ${name})`, got: 'none' };
  return Object.assign(new ConfigError(owner, [issue]), { cause });
}

/** By the message of Node, bundlers, Bun, Deno, Vite and Yarn: a package that the named one needs may be absent as well. */
const isAbsent = (name: string, failure: unknown): boolean =>
  failure instanceof Error &&
  new RegExp(
    `(?:Cannot find (?:module|package)|Could not resolve) ['"]${name}['"]|(?:load url|tried to access) ${name}[ ,]`,
    'i',
  ).test(failure.message);
