import { ConfigError } from '../../errors/index.ts';
import { modelOverridesCheck } from './model-checks.ts';
import { BUILT_IN_MODELS } from './model-data.ts';
import type { ModelEntry } from './model-entry.ts';

/** Bounds of a request, whatever the model. */
export const REQUEST_LIMITS = Object.freeze({
  maxImages: 1_500,
  maxPayloadBytes: 512_000_000,
  /** More patches than this in one image are refused. */
  maxPatchesPerImage: 30_000,
});

/** Entries that extend or replace the built-in ones, by model name. */
export type ModelOverrides = Readonly<Record<string, ModelEntry>>;

/** Looks models up by the names that the API uses. */
export interface ModelCatalog {
  /**
   * The entry of a model by its own name, else without a fine-tune's `ft:…` or a snapshot's date. Else the entry of the
   * longest built-in name that it extends at a dash, without price, efforts and other fields that may differ.
   * `undefined` for an unknown model.
   */
  find(model: string): ModelEntry | undefined;
  /** Every name in the catalog. */
  names(): readonly string[];
}

/**
 * Makes a catalog of the built-in models and yours; yours win.
 *
 * @throws `DESCRIBE_CONFIG_INVALID` that lists everything wrong with your entries.
 * @example
 * ```ts
 * import { createModelCatalog } from '@describe-it/sdk/openai';
 *
 * const builtIn = createModelCatalog().find('gpt-4.1-mini');
 * const catalog = createModelCatalog(builtIn === undefined ? {} : { 'my-azure-deployment': builtIn });
 * ```
 */
export function createModelCatalog(overrides: ModelOverrides = {}): ModelCatalog {
  const issues = modelOverridesCheck(overrides, 'models');
  if (issues.length > 0) throw new ConfigError('model catalog', issues);
  const entries = new Map<string, ModelEntry>([...Object.entries(BUILT_IN_MODELS), ...Object.entries(overrides)]);
  const byLength = [...entries.keys()].sort((a, b) => b.length - a.length);
  return {
    find: (model) => {
      const exact = entries.get(model);
      if (exact !== undefined) return exact;
      const base = baseName(model);
      const sameModel = model.startsWith(TUNED) ? undefined : entries.get(base);
      if (sameModel !== undefined) return sameModel;
      const stem = entries.get(byLength.find((known) => `${base}-`.startsWith(`${known}-`)) ?? '');
      if (stem === undefined) return undefined;
      // `gpt-5-pro` sizes images as `gpt-5` does, and costs twelve times as much. Fine-tunes have other prices too.
      const { family, sizing, sizingProvenance, limits } = stem;
      return { family, sizing, sizingProvenance, ...(limits === undefined ? {} : { limits }) };
    },
    names: () => [...entries.keys()],
  };
}

const TUNED = 'ft:';

/** `ft:gpt-4.1-mini-2025-04-14:org::id` → `gpt-4.1-mini`; `openai/gpt-4o` → `gpt-4o`. */
const baseName = (model: string) =>
  (model.startsWith(TUNED) ? (model.split(':')[1] ?? model) : model)
    .replace(/^.*\//, '')
    .replace(/-\d{4}-\d{2}-\d{2}$/, '');

/** The catalog of the built-in models. */
export const modelCatalog: ModelCatalog = createModelCatalog();
