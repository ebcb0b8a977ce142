import {
  boolean,
  describeValue,
  finiteNumber,
  integer,
  listOf,
  type OptionCheck,
  oneOf,
  required,
  shape,
} from '../../internal/options/option-checks.ts';
import { REASONING_EFFORTS } from '../../internal/options/reasoning-effort.ts';

const tokens = required(integer({ min: 0 }));
const bounds = shape({ maxSidePx: required(integer({ min: 1 })), maxPatches: integer({ min: 1 }) });

const RULES: Readonly<Record<string, Readonly<Record<string, OptionCheck>>>> = {
  tiles: { base: tokens, perTile: tokens },
  patches: {
    multiplier: required(finiteNumber({ min: 0 })),
    low: required(bounds),
    high: required(bounds),
    original: bounds,
    auto: oneOf('high', 'original'),
  },
};

const checkRule: OptionCheck = (value, option) => {
  const name = (value as { readonly by?: unknown } | null | undefined)?.by;
  const by = required(oneOf(...Object.keys(RULES)));
  const fields = typeof name === 'string' && Object.hasOwn(RULES, name) ? RULES[name] : undefined;
  return fields === undefined ? by(name, `${option}.by`) : shape({ by, ...fields })(value, option);
};

const checkModel = shape({
  images: checkRule,
  contextTokens: required(integer({ min: 1 })),
  reasoning: boolean(),
  efforts: listOf(oneOf(...REASONING_EFFORTS)),
  defaultEffort: oneOf(...REASONING_EFFORTS),
  temperature: oneOf('always', 'without-reasoning', 'never'),
  flex: boolean(),
  cacheWrites: boolean(),
});

/** An object of models by name. */
export const checkModels: OptionCheck = (value, option) => {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ option, expected: 'an object of models', got: describeValue(value) }];
  }
  return Object.entries(value).flatMap(([name, model]) => required(checkModel)(model, `${option}.${name}`));
};
