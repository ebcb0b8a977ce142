import { pathToFileURL } from 'node:url';

/**
 * Gives the URL of the file of its caller. `import.meta` does not exist in the CJS build of this package. A call site
 * holds the file itself, whatever a source map says.
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
