interface Chunk {
  readonly id?: unknown;
  readonly model?: unknown;
  readonly usage?: unknown;
  readonly error?: unknown;
  readonly choices?: readonly {
    readonly message?: unknown;
    readonly delta?: { readonly content?: unknown; readonly refusal?: unknown } | null;
    readonly finish_reason?: unknown;
  }[];
}

const EVENT = /^(?:data|event|id|retry)?:/;

/**
 * The completion in a stream of events that a gateway sends although none was asked for. An error in it stands in its
 * place. Undefined for any other text, and for a stream without an end.
 */
export function streamedCompletion(text: string): unknown {
  if (!EVENT.test(text)) return undefined;
  let content = '';
  let refusal = '';
  let first: Chunk | undefined;
  let usage: unknown;
  let reason: unknown;
  for (const chunk of chunksIn(text)) {
    const [choice] = chunk.choices ?? [];
    if (chunk.error != null || choice?.message != null) return chunk;
    first ??= chunk;
    usage = chunk.usage ?? usage;
    reason = choice?.finish_reason ?? reason;
    content += textOf(choice?.delta?.content);
    refusal += textOf(choice?.delta?.refusal);
  }
  if (reason === undefined) return undefined;
  const choice = { index: 0, finish_reason: reason, message: { role: 'assistant', content, refusal } };
  return { id: first?.id, model: first?.model, usage, choices: [choice] };
}

/** What stands in the lines of data; what is no JSON, as the mark of the end, is left out. */
function* chunksIn(text: string): Generator<Chunk> {
  for (const line of text.split(/\r?\n/)) {
    if (!line.startsWith('data:')) continue;
    try {
      const chunk: unknown = JSON.parse(line.slice('data:'.length));
      if (typeof chunk === 'object' && chunk !== null) yield chunk;
    } catch {}
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
