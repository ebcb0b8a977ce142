import type { FakeOpenAI } from './fake-openai.ts';

/** Methods of the server that the parent may call in the child. */
export const REMOTE_METHODS = [
  'setFaults',
  'setLimits',
  'seen',
  'getStats',
  'reset',
  'closeIdleConnections',
  'stop',
  'start',
  'restart',
] as const;

export type RemoteMethod = (typeof REMOTE_METHODS)[number];

/** Parent to child. The first one is `launch`. */
export type ParentMessage =
  | { readonly id: number; readonly method: 'launch'; readonly args: readonly [unknown] }
  | { readonly id: number; readonly method: RemoteMethod; readonly args: readonly unknown[] };

/** Child to parent: the answer to the message of that id. */
export type ChildMessage =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

/** The answer to `launch`. */
export interface LaunchedServer {
  readonly port: number;
  readonly apiKey: string;
}

/** A method of the server as seen through IPC. */
export type Remote<Method extends RemoteMethod> = (
  ...args: Parameters<FakeOpenAI[Method]>
) => Promise<Awaited<ReturnType<FakeOpenAI[Method]>>>;
