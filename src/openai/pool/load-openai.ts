import type { AzureOpenAI, OpenAI } from 'openai';
import { importAgain } from '../../internal/modules/import-again.ts';
import { namedExportsOf, peerFailure } from '../../internal/modules/peer-package.ts';

/**
 * Loads the `openai` package, at first use.
 * @throws `DESCRIBE_CONFIG_INVALID` when it is not installed.
 */
export async function loadOpenAI(): Promise<{ OpenAI: typeof OpenAI; AzureOpenAI: typeof AzureOpenAI }> {
  try {
    return namedExportsOf(await importAgain('openai', () => import('openai')), 'OpenAI');
  } catch (error) {
    throw peerFailure('OpenAIConnectionPool', 'openai', error);
  }
}
