/*
 * The small modules that most entry points load. `option-checks.ts` imports this file and every entry point loads
 * `option-checks.ts`, so that esbuild puts all of these into one chunk. Each further file of an import costs more than
 * its code does: see the bench "import cost".
 */
export { CircuitOpenError } from '../../errors/circuit-open-error.ts';
export { ConfigError, type ConfigIssue } from '../../errors/config-error.ts';
export { InputError } from '../../errors/input-error.ts';
export { QueueFullError } from '../../errors/queue-full-error.ts';
export { TimeoutError } from '../../errors/timeout-error.ts';
export { UpstreamError } from '../../errors/upstream-error.ts';
export { onAbandoned } from '../async/abandoned.ts';
export { Deferred } from '../async/deferred.ts';
export { onAbort } from '../async/signals.ts';
export { answerNow } from '../async/user-callback.ts';
export { exponentialDelay } from '../backoff.ts';
export { bindMethods } from '../bind-methods.ts';
export { BoundedMap } from '../collections/bounded-map.ts';
export { deepFreeze } from '../deep-freeze.ts';
export { Emitter } from '../emitter.ts';
export { definedOf } from '../options/defined-of.ts';
export { propertyOf } from '../property-of.ts';
export { headerOf } from '../upstream/response-headers.ts';
export { withoutTrailing } from '../without-trailing.ts';
export { importAgain } from './import-again.ts';
export { lazy } from './lazy.ts';
export { crypto } from './node-modules.ts';
export { namedExportsOf } from './peer-package.ts';
export { processSingleton } from './process-singleton.ts';
