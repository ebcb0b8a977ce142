import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The few members that the benches use of packages that the root does not install. */
interface AiSdk {
  generateText(call: Readonly<Record<string, unknown>>): Promise<{ readonly text: string }>;
  streamText(call: Readonly<Record<string, unknown>>): { readonly textStream: AsyncIterable<string> };
}
interface AiSdkOpenAI {
  createOpenAI(options: Readonly<Record<string, unknown>>): { chat(model: string): unknown };
}
interface LangChainOpenAI {
  readonly ChatOpenAI: new (
    options: Readonly<Record<string, unknown>>,
  ) => {
    invoke(messages: readonly unknown[]): Promise<{ readonly content: unknown }>;
    stream(messages: readonly unknown[]): Promise<AsyncIterable<{ readonly content: unknown }>>;
  };
}

const require = createRequire(new URL('./package.json', import.meta.url));

const isInstalled = (name: string): boolean => {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
};

const load = async <Module>(name: string) => (await import(pathToFileURL(require.resolve(name)).href)) as Module;

/** The AI SDK. Loaded when it is asked for, so that no other contender's process holds it. */
export const loadAiSdk = async () => ({ ...(await load<AiSdk>('ai')), ...(await load<AiSdkOpenAI>('@ai-sdk/openai')) });

/** LangChain's client for OpenAI. */
export const loadLangChain = () => load<LangChainOpenAI>('@langchain/openai');

const NOT_INSTALLED = 'not installed: npm install --no-package-lock --prefix bench/peers';

export const hasAiSdk = isInstalled('ai') && isInstalled('@ai-sdk/openai');
export const hasLangChain = isInstalled('@langchain/openai');

/** The peers that are not installed, with what to do. */
export const missingPeers: Readonly<Record<string, string>> = {
  ...(!hasAiSdk && { 'AI SDK': NOT_INSTALLED }),
  ...(!hasLangChain && { "LangChain's client": NOT_INSTALLED }),
};
