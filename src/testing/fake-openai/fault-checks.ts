import { ConfigError } from '../../errors/config-error.ts';
import {
  anything,
  boolean,
  describeValue,
  finiteNumber,
  integer,
  listOf,
  milliseconds,
  nonEmptyText,
  type OptionCheck,
  oneOf,
  ratio,
  required,
  shape,
  text,
  textRecord,
  whichever,
} from '../../internal/options/option-checks.ts';
import { checkLatency } from './latency-checks.ts';

const position = integer({ min: 1 });
const wait = milliseconds({ min: 0 });
const cut = { afterRatio: ratio(), afterEvents: integer({ min: 0 }) };
const cutAtByte = { ...cut, afterBytes: integer({ min: 0 }) };
const somewhere = oneOf('body', 'content');

const FAULTS: Readonly<Record<string, Readonly<Record<string, OptionCheck>>>> = {
  error: {
    code: nonEmptyText(),
    status: whichever([[(value) => value === 200, anything()]], integer({ min: 400, max: 599 })),
    retryAfter: shape({
      form: required(oneOf('seconds', 'milliseconds', 'http-date', 'both')),
      ms: required(finiteNumber({ min: 0 })),
    }),
    headers: textRecord(),
    body: text(),
  },
  latency: { latency: required(checkLatency) },
  hang: {},
  stall: cutAtByte,
  reset: { at: required(oneOf('before-answer', 'mid-body')), ...cutAtByte },
  'stream-error': {
    code: nonEmptyText(),
    status: integer({ min: 400, max: 599 }),
    ...cut,
  },
  truncate: { where: somewhere, ...cutAtByte },
  'wrong-json': { where: somewhere, json: anything() },
  refusal: { text: nonEmptyText() },
  finish: { reason: required(oneOf('stop', 'length', 'content_filter', 'max_messages', 'steered')), text: text() },
  reasoning: { tokens: required(integer({ min: 0 })) },
  status: { status: required(oneOf('failed', 'cancelled', 'in_progress', 'queued')), code: nonEmptyText() },
  quirk: {
    keepAlive: boolean(),
    lineEnd: oneOf('lf', 'crlf'),
    writes: whichever([[(value) => typeof value === 'number', position]], oneOf('joined', 'events')),
    done: boolean(),
    usage: boolean(),
    unknown: boolean(),
  },
  items: { change: required(oneOf('missing', 'duplicated', 'reordered', 'invented')), count: position },
  headers: { headers: required(textRecord()) },
  'close-idle': { afterMs: wait },
};

const checkFault: OptionCheck = (value, option) => {
  if (typeof value !== 'object' || value === null) {
    return [{ option, expected: 'a fault', got: describeValue(value) }];
  }
  const name = (value as { readonly kind?: unknown }).kind;
  const fields = typeof name === 'string' && Object.hasOwn(FAULTS, name) ? FAULTS[name] : undefined;
  const kind = required(oneOf(...Object.keys(FAULTS)));
  if (fields === undefined) return kind(name, `${option}.kind`);
  return shape({ kind, ...fields })(value, option);
};

const checkRule = shape({
  when: shape({
    requests: whichever(
      [
        [(value) => typeof value === 'number', position],
        [Array.isArray, listOf(position)],
      ],
      shape({ from: position, to: position, every: position }),
    ),
    apiKey: nonEmptyText(),
    imageHash: whichever([[Array.isArray, listOf(nonEmptyText())]], nonEmptyText()),
    model: nonEmptyText(),
    endpoint: oneOf('chat', 'responses', 'models'),
    stream: boolean(),
    probability: ratio(),
    drawPer: oneOf('request', 'image'),
  }),
  fault: required(checkFault, 'a fault'),
  times: position,
  billed: boolean(),
});

/** A plan, or its rules alone. */
export const checkFaultPlan: OptionCheck = whichever(
  [[Array.isArray, listOf(checkRule)]],
  shape({ seed: integer(), rules: required(listOf(checkRule)) }),
);

/** Throws a `ConfigError` for a wrong plan. */
export function checkFaults(faults: unknown): void {
  const issues = required(checkFaultPlan, 'a fault plan')(faults, 'faults');
  if (issues.length > 0) throw new ConfigError('setFaults', issues);
}
