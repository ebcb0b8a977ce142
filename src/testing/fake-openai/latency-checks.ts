import {
  describeValue,
  finiteNumber,
  milliseconds,
  type OptionCheck,
  oneOf,
  required,
  shape,
} from '../../internal/options/option-checks.ts';

const DISTRIBUTIONS: Readonly<Record<string, Readonly<Record<string, OptionCheck>>>> = {
  fixed: { ms: required(milliseconds({ min: 0 })) },
  uniform: { minMs: required(milliseconds({ min: 0 })), maxMs: required(milliseconds({ min: 0 })) },
  'log-normal': {
    medianMs: required(milliseconds({ min: 0 })),
    sigma: required(finiteNumber({ min: 0, max: 10 })),
    maxMs: milliseconds({ min: 0 }),
  },
};

/** A latency of one of its distributions. */
export const checkLatency: OptionCheck = (value, option) => {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null) {
    return [{ option, expected: 'a latency', got: describeValue(value) }];
  }
  const name = (value as { readonly distribution?: unknown }).distribution;
  const fields = typeof name === 'string' && Object.hasOwn(DISTRIBUTIONS, name) ? DISTRIBUTIONS[name] : undefined;
  const distribution = required(oneOf(...Object.keys(DISTRIBUTIONS)));
  if (fields === undefined) return distribution(name, `${option}.distribution`);
  return shape({ distribution, ...fields })(value, option);
};
