import {
  boolean,
  describeKind,
  finiteNumber,
  integer,
  listOf,
  nonEmptyText,
  type OptionCheck,
  oneOf,
  required,
  shape,
  whichever,
} from '../../internal/options/option-checks.ts';
import { REASONING_EFFORTS } from '../../internal/options/reasoning-effort.ts';

const provenance = required(
  shape({ source: required(nonEmptyText()), readOn: required(nonEmptyText()), uncertain: nonEmptyText() }),
  'where the numbers come from',
);
const usd = finiteNumber({ min: 0 });
const tokens = integer({ min: 0 });

const patchLimits = shape({ maxSidePx: required(integer({ min: 1 })), maxPatches: integer({ min: 1 }) });
const patchSizing = shape({
  kind: oneOf('patch'),
  multiplier: required(finiteNumber({ min: 0 })),
  details: required(shape({ low: patchLimits, high: required(patchLimits), original: patchLimits, auto: patchLimits })),
});
const tileSizing = shape({ kind: oneOf('tile'), baseTokens: required(tokens), tileTokens: required(tokens) });

const isOfKind = (kind: string) => (value: unknown) =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;

const sizing = whichever(
  [
    [isOfKind('patch'), patchSizing],
    [isOfKind('tile'), tileSizing],
  ],
  (value, option) => [{ option, expected: "an object of kind 'patch' or 'tile'", got: describeKind(value) }],
);

const rates = { input: required(usd), cachedInput: usd, cacheWrite: usd, output: required(usd) };

const entry = shape({
  family: required(nonEmptyText()),
  sizing: required(sizing),
  sizingProvenance: provenance,
  price: shape({
    ...rates,
    longContext: shape({ ...rates, aboveInputTokens: required(tokens) }),
    provenance,
  }),
  limits: shape({ contextTokens: required(tokens), maxOutputTokens: required(tokens), provenance }),
  reasoningEfforts: listOf(oneOf(...REASONING_EFFORTS)),
  defaultEffort: oneOf(...REASONING_EFFORTS),
  reasoningHeadroomTokens: tokens,
  temperature: oneOf('always', 'without-reasoning', 'never'),
  flex: boolean(),
  shutdownOn: nonEmptyText(),
});

/** Entries of a model catalog, by model name. */
export const modelOverridesCheck: OptionCheck = (value, option) => {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ option, expected: 'an object of entries by model name', got: describeKind(value) }];
  }
  return Object.entries(value).flatMap(([model, given]) => required(entry)(given, `${option}["${model}"]`));
};
