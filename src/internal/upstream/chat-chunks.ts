interface Delta {
  readonly content?: unknown;
  readonly refusal?: unknown;
}

interface ChunkChoice {
  readonly message?: unknown;
  readonly delta?: Delta | null;
  readonly finish_reason?: unknown;
  readonly error?: unknown;
}

interface Chunk {
  readonly object?: unknown;
  readonly type?: unknown;
  readonly id?: unknown;
  readonly model?: unknown;
  readonly service_tier?: unknown;
  readonly prompt_filter_results?: unknown;
  readonly usage?: unknown;
  readonly error?: unknown;
  readonly choices?: readonly (ChunkChoice | null)[] | null;
}

/** Joins the chunks of a streamed chat completion into the completion that the API sends without streaming. */
export class ChatChunks {
  #content = '';
  #refusal = '';
  #first: Chunk | undefined;
  #model: unknown;
  #filterResults: unknown;
  #usage: unknown;
  #reason: unknown;
  #isOver = false;
  #goesOn = false;
  #error: unknown;
  /** A whole completion that came as one event. */
  #whole: Chunk | undefined;

  /** Whether the answer has its end: a finish reason, an error, or all of it in one event. */
  get isComplete(): boolean {
    return this.#reason !== undefined || this.#error !== undefined || this.#whole !== undefined;
  }

  /** Whether an error took the place of the rest. */
  get isFailed(): boolean {
    return this.#error !== undefined;
  }

  /** Whether nothing of the answer can follow: its usage came after its finish reason, in a chunk without a choice. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Whether text came after a finish reason, so that only the end of the stream tells that the answer is whole. Gemini
   * behind some gateways gives a finish reason with each chunk. Source: BerriAI/litellm, issue 2195.
   */
  get goesOn(): boolean {
    return this.#goesOn;
  }

  /** Adds a chunk with the name of its event, which may be empty. Returns its text. */
  take(chunk: Chunk, name: string): string {
    const choice = chunk.choices?.[0];
    // Some servers send the error itself as an event, or name the event in place of a field.
    const isError = chunk.object === 'error' || chunk.type === 'error' || (name === 'error' && !('error' in chunk));
    const error = chunk.error ?? choice?.error ?? (isError ? chunk : undefined);
    // After its finish reason an answer is whole: no later error is worth another answer.
    if (error != null && this.#reason === undefined) this.#error ??= error;
    if (choice?.message != null) this.#whole ??= chunk;
    this.#first ??= chunk;
    this.#model ||= chunk.model;
    this.#filterResults ??= chunk.prompt_filter_results;
    this.#usage = chunk.usage ?? this.#usage;
    const hasReason = this.#reason !== undefined;
    // An empty one is none. Source: ollama/ollama, issue 4357.
    this.#reason = choice?.finish_reason || this.#reason;
    const delta = choice?.delta;
    if (delta == null) {
      this.#isOver ||= hasReason && !this.#goesOn && choice == null && chunk.usage != null;
      return '';
    }
    this.#refusal += textOf(delta.refusal);
    const text = textOf(delta.content);
    this.#content += text;
    this.#goesOn ||= hasReason && text !== '';
    return text;
  }

  /** The completion so far. An error stands in its choice, as OpenRouter puts it there. */
  completion(): object {
    if (this.#whole !== undefined && this.#content === '') return this.#whole;
    const message = { role: 'assistant', content: this.#content, refusal: this.#refusal };
    const end = this.isFailed ? { finish_reason: 'error', error: this.#error } : { finish_reason: this.#reason };
    const { id, service_tier } = this.#first ?? {};
    return {
      id,
      model: this.#model,
      service_tier,
      prompt_filter_results: this.#filterResults,
      usage: this.#usage,
      choices: [{ index: 0, ...end, message }],
    };
  }
}

/** The text of a delta: a string, or the text parts of a list. Other parts, such as thoughts, are skipped. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.map(partText).join('') : '';
}

function partText(part: unknown): string {
  const { type = 'text', text } = (part ?? {}) as { readonly type?: unknown; readonly text?: unknown };
  return type === 'text' && typeof text === 'string' ? text : '';
}
