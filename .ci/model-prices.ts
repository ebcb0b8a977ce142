import { pathToFileURL } from 'node:url';
import { estimateCall } from '../src/openai/models/estimate.ts';
import { estimateImageTokens } from '../src/openai/models/image-tokens.ts';
import { modelCatalog } from '../src/openai/models/model-catalog.ts';
import type { ImageDetail } from '../src/openai/models/model-entry.ts';
import { tableOf, writeMarked } from './marked-table.ts';

// Prints from the catalog what 1,000 descriptions cost by model into the decision record about the default model, and the
// tokens of an image into docs/guide/images.md: `node .ci/model-prices.ts`.
export const PAGE = 'docs/decisions/2026-11-28-default-model.md';

export const TOKEN_PAGE = 'docs/guide/images.md';

const IMAGES = 1_000;
const IMAGE = { width: 1_024, height: 768 };
const OUTPUT_TOKENS = 100;

const HEAD = [
  'model',
  'effort',
  'tokens, low',
  'tokens, high',
  '$, low',
  '$, high',
  '$, low, headroom spent',
  '$, high, headroom spent',
  'shut down on',
];

/** All that the model may write: with the headroom for its reasoning. */
const ALL_TOKENS = Number.POSITIVE_INFINITY;

const estimateOf = (model: string, detail: ImageDetail, expectedOutputTokens = OUTPUT_TOKENS) =>
  estimateCall({
    model,
    detail,
    images: [IMAGE],
    prompt: 'Describe this image.',
    maxOutputTokens: OUTPUT_TOKENS,
    expectedOutputTokens,
  });

const usdOf = (...call: Parameters<typeof estimateOf>): number => (estimateOf(...call).costUsd ?? Number.NaN) * IMAGES;

function cellsOf(model: string): string[] {
  const { reasoningEfforts, shutdownOn = '' } = modelCatalog.find(model) ?? {};
  const effort = reasoningEfforts?.[0] ?? '';
  // At effort `none` there is no hidden token.
  const spends = effort !== '' && effort !== 'none';
  const usd = (detail: ImageDetail, tokens?: number) => usdOf(model, detail, tokens).toFixed(2);
  const spent = (detail: ImageDetail) => (spends ? usd(detail, ALL_TOKENS) : '');
  return [
    model,
    effort,
    String(estimateOf(model, 'low').imageTokens),
    String(estimateOf(model, 'high').imageTokens),
    usd('low'),
    usd('high'),
    spent('low'),
    spent('high'),
    shutdownOn,
  ];
}

/** Every model with a price, the cheapest at high detail first. */
export function priceTable(): string {
  const models = modelCatalog.names().filter((model) => modelCatalog.find(model)?.price !== undefined);
  const ordered = models.sort((one, other) => usdOf(one, 'high') - usdOf(other, 'high'));
  return tableOf([HEAD, ...ordered.map(cellsOf)]);
}

const SIDE_PX = 1_024;

/** The tokens of a square image, with all models of equal figures in one row. */
export function tokenTable(): string {
  const models = Map.groupBy(modelCatalog.names(), (model) =>
    (['low', 'high'] as const)
      .map((detail) => estimateImageTokens({ model, width: SIDE_PX, height: SIDE_PX, detail })?.toLocaleString('en'))
      .join(' | '),
  );
  const rows = Array.from(models, ([figures, names]) => [names.join(', '), figures]);
  return tableOf([
    ['model', '`low`', '`high`'],
    ...rows.map(([names = '', figures = '']) => [names, ...figures.split(' | ')]),
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeMarked(PAGE, 'prices', priceTable());
  writeMarked(TOKEN_PAGE, 'image tokens', tokenTable());
}
