import { ConfigError, type ConfigIssue } from '../../errors/config-error.ts';

/**
 * Finds the named exports of a CommonJS package that was loaded by `import()`. Some bundlers (ncc, webpack before 5.95)
 * and loaders give a namespace that has only `default`.
 */
export function namedExportsOf<Module extends object>(namespace: Module, name: keyof Module): Module {
  if (namespace[name] !== undefined) return namespace;
  return (namespace as { readonly default?: Module }).default ?? namespace;
}

/**
 * Makes the error for a failed `import(name)`. For a package that is absent, or that its bundle cannot load, it is a
 * `ConfigError` that says what to do. Otherwise it is the failure itself. The caller keeps the `import()` in a `try`,
 * from which bundlers see that the package may be absent.
 */
export function peerFailure(owner: string, name: string, cause: unknown): unknown {
  const message = cause instanceof Error ? cause.message : '';
  let issue: ConfigIssue;
  if (isAbsence(name, message)) {
    issue = { option: name, expected: `an installed package (npm install ${name})`, got: 'none' };
  } else if (message.startsWith('Dynamic require of ')) {
    issue = { option: name, expected: 'a bundle that defines require (see docs/guide/bundlers.md)', got: 'none' };
  } else {
    return cause;
  }
  return Object.assign(new ConfigError(owner, [issue]), { cause });
}

/** Reads the message of Node, bundlers, Bun, Deno, Vite and Yarn: a dependency of the package may be absent too. */
const isAbsence = (name: string, message: string): boolean =>
  new RegExp(
    `(?:Cannot find (?:module|package)|Could not resolve) ['"]${name}['"]|(?:load url|tried to access) ${name}[ ,]`,
    'i',
  ).test(message);
