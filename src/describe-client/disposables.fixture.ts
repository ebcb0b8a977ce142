import { afterEach } from 'vitest';

/** A list for what a test opens. All of it is disposed of after the test, what was opened last first. */
export function useDisposables(): AsyncDisposable[] {
  const disposables: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const disposable of disposables.splice(0).reverse()) await disposable[Symbol.asyncDispose]();
  });
  return disposables;
}
