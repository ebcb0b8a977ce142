import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The name by which benches import the package. The hook sends it to one of the two builds. */
const PACKAGE_NAME = '@describe-it/sdk';

type Exports = Readonly<Record<string, { readonly import?: { readonly default?: string } }>>;

/** Makes every import of the package load the build in this folder, by the build's own `exports`. */
export function loadPackageFrom(buildFolder: string): void {
  const folder = pathToFileURL(`${buildFolder}/`);
  const { exports } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { exports: Exports };
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== PACKAGE_NAME && !specifier.startsWith(`${PACKAGE_NAME}/`)) return next(specifier, context);
      const entry = `.${specifier.slice(PACKAGE_NAME.length)}`;
      const file = exports[entry]?.import?.default;
      if (file === undefined) throw new Error(`the build has no entry point ${entry}`);
      return { url: new URL(file, folder).href, format: 'module', shortCircuit: true };
    },
  });
}
