import { pathToFileURL } from 'node:url';

/**
 * The URL of the file that the given function's caller runs from. `import.meta` can't tell it: this package is built as
 * CJS too, where it does not exist. A call site holds the file itself, whatever source maps say of it.
 */
export function urlOfCaller(): string {
  const original = Error.prepareStackTrace;
  try {
    Error.prepareStackTrace = (_error, sites) => sites;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder, urlOfCaller);
    const [caller] = holder.stack as NodeJS.CallSite[];
    const file = caller?.getFileName() ?? '';
    return file.startsWith('file:') ? file : pathToFileURL(file).href;
  } finally {
    Error.prepareStackTrace = original;
  }
}
