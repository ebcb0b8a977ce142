import { describe, expect, it } from 'vitest';
import { estimateCall } from './call-estimate.ts';
import { createModelCatalog, modelCatalog } from './model-catalog.ts';
import { outputCap, REASONING_HEADROOM_TOKENS } from './output-cap.ts';

const capOf = (model: string, ...[effort]: [Parameters<typeof outputCap>[2]?]) =>
  outputCap(300, modelCatalog.find(model), effort);

describe('outputCap', () => {
  it('adds headroom for a model that reasons, by the effort that is sent', () => {
    expect(capOf('gpt-4.1-mini')).toBe(300);
    expect(capOf('gpt-5-mini')).toBe(300 + REASONING_HEADROOM_TOKENS);
    expect(capOf('gpt-5.1')).toBe(300);
    expect(capOf('gpt-5.1', 'low')).toBe(300 + REASONING_HEADROOM_TOKENS);
    expect(capOf('gpt-5-mini', 'none')).toBe(300);
  });

  it('knows a model outside of the catalog to reason where the request names an effort', () => {
    expect([capOf('mine'), capOf('mine', 'low')]).toEqual([300, 300 + REASONING_HEADROOM_TOKENS]);
  });

  it('stays within what the model writes, and never goes below what was asked for', () => {
    const entry = modelCatalog.find('gpt-5-mini');
    expect(outputCap(127_900, entry)).toBe(128_000);
    expect(outputCap(130_000, entry)).toBe(130_000);
  });

  it('takes the headroom of the entry', () => {
    const own = { ...modelCatalog.find('gpt-5-mini'), reasoningHeadroomTokens: 64 };
    expect(outputCap(300, own)).toBe(364);
  });
});

describe('an estimate', () => {
  const call = { model: 'gpt-5-mini', images: [{ width: 64, height: 64 }], prompt: 'What?', maxOutputTokens: 300 };

  it('reserves the headroom, and takes it for spent unless the usual length is given', () => {
    expect(estimateCall(call)).toMatchObject({ reservedTokens: 1_324, outputTokens: 1_324 });
    expect(estimateCall({ ...call, expectedOutputTokens: 90 })).toMatchObject({
      reservedTokens: 1_324,
      outputTokens: 90,
    });
    expect(estimateCall({ ...call, reasoningEffort: 'none' })).toMatchObject({ outputTokens: 300 });
  });

  it('counts the headroom of an entry of the user', () => {
    const entry = modelCatalog.find('gpt-5-mini');
    const catalog = createModelCatalog(entry && { mine: { ...entry, reasoningHeadroomTokens: 0 } });
    expect(estimateCall({ ...call, model: 'mine' }, catalog)).toMatchObject({ outputTokens: 300 });
  });
});
