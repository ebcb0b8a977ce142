import { join } from 'node:path';
import { repositoryRoot, runCommand } from './runtimes.ts';

/** Packs the built package into a folder and gives the tarball's path. */
export function packTarball(folder: string): string {
  const packed = runCommand('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: repositoryRoot,
  });
  return join(folder, packed.trim().split('\n').at(-1) ?? '');
}
