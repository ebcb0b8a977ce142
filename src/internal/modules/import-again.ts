import { nodeModule } from './node-modules.ts';

/**
 * Imports a package at its first use. When Node has no descriptor left for a file of a package, it remembers that:
 * every later `import()` fails too. The package is then required from that file's folder, which works as soon as there
 * are descriptors.
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
      // There are still no descriptors, or the file does not belong to the package.
      throw error;
    }
  }
}

/** The absolute path of a file of the package, or of one of its dependencies. */
function fileThatCouldNotBeOpened(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code === 'EMFILE' || error.code === 'ENFILE') {
    return 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  }
  return /^Cannot read package config (.+): too many open files/.exec(error.message)?.[1];
}
