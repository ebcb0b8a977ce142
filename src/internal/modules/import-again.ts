import { nodeModule } from './node-modules.ts';

/**
 * Imports a package at its first use. Node remembers for ever that a file of a package could not be opened because no
 * descriptor was left: every later `import()` fails as the first did. The package is then required from where that file
 * lies, which works as soon as there are descriptors.
 */
export async function importAgain<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    const file = fileThatCouldNotBeOpened(error);
    if (file === undefined) throw error;
    try {
      return nodeModule().createRequire(file)(name) as Module;
    } catch {
      // There are no descriptors still, or the file is none of the package's.
      throw error;
    }
  }
}

/** Absolute, in the package's folder or in that of what it needs. */
function fileThatCouldNotBeOpened(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code === 'EMFILE' || error.code === 'ENFILE') {
    return 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  }
  return /^Cannot read package config (.+): too many open files/.exec(error.message)?.[1];
}
