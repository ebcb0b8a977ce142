import { type FakeOpenAI, startFakeOpenAI } from './fake-openai.ts';
import type { FakeOpenAIOptions } from './options.ts';
import { urlOfCaller } from './own-module.ts';
import { type LaunchedServer, type ParentMessage, REMOTE_METHODS } from './process-messages.ts';

/** The file to import in the child: this one, or the entry that it was bundled into. */
export const childModuleUrl = (): string => urlOfCaller();

/**
 * Runs a fake server for the parent process, over IPC, and ends with it. This is what the child of
 * `startFakeOpenAIProcess` calls; there is no other use for it.
 */
export function runFakeOpenAIChild(): void {
  let server: FakeOpenAI | undefined;
  const answer = async ({ method, args }: ParentMessage): Promise<unknown> => {
    if (method === 'launch') {
      server = await startFakeOpenAI(args[0] as FakeOpenAIOptions);
      return { port: server.port, apiKey: server.apiKey } satisfies LaunchedServer;
    }
    if (server === undefined || !REMOTE_METHODS.includes(method)) throw new Error(`no method ${method}`);
    const call = server[method] as (...given: readonly unknown[]) => unknown;
    return call.apply(server, [...args]);
  };
  process.on('message', (message: ParentMessage) => {
    answer(message).then(
      (value) => process.send?.({ id: message.id, value }),
      (error: unknown) => process.send?.({ id: message.id, error: String(error) }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
