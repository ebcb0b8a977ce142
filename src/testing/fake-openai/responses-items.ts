import type { Answer } from './answer.ts';
import type { Rendering } from './chat-answer.ts';
import { obfuscation, splitForStream } from './sse.ts';

interface OutputItem {
  readonly id: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** An item of the output, as it is opened in a stream, what comes then, and as it ends. */
interface ResponseItem {
  readonly opened: OutputItem;
  /** Events between `response.output_item.added` and `.done`, without what all of them have. */
  readonly deltas: readonly { readonly type: string; readonly [field: string]: unknown }[];
  readonly item: OutputItem;
}

/**
 * The output of a response: the reasoning where there was any, an item of an unknown type where that is wanted, and the
 * message. A limit that the reasoning has filled leaves no message.
 */
export function responseItems(rendering: Rendering): readonly ResponseItem[] {
  const { answer, quirk } = rendering;
  const { text, refusal, finishReason, usage } = answer;
  const isReasoned = usage.reasoningTokens > 0;
  const isFilled = isReasoned && finishReason === 'length' && text === '' && refusal === undefined;
  return [
    ...(isReasoned ? [reasoningItem(rendering, isFilled)] : []),
    ...(quirk.unknown === true ? [unknownItem(rendering)] : []),
    ...(isFilled ? [] : [messageItem(rendering)]),
  ];
}

const SUMMARY = 'I looked at each image and compared what stands out.';

function reasoningItem({ request, identity }: Rendering, isFilled: boolean): ResponseItem {
  const { summary } = request.echo['reasoning'] as { readonly summary: unknown };
  const item = {
    id: `rs_${identity.id}`,
    type: 'reasoning',
    status: isFilled ? 'incomplete' : 'completed',
    summary: summary === null ? [] : [{ type: 'summary_text', text: SUMMARY }],
    encrypted_content: 'ZmFrZSByZWFzb25pbmc=',
  };
  const at = { summary_index: 0 };
  const part = (text: string) => ({ part: { type: 'summary_text', text } });
  const deltas = [
    { type: 'response.reasoning_summary_part.added', ...at, ...part('') },
    ...splitForStream(SUMMARY).map((delta) => ({
      type: 'response.reasoning_summary_text.delta',
      ...at,
      delta,
      ...obfuscation(delta, request.obfuscate),
    })),
    { type: 'response.reasoning_summary_text.done', ...at, text: SUMMARY },
    { type: 'response.reasoning_summary_part.done', ...at, ...part(SUMMARY) },
  ];
  return { opened: { ...item, status: 'in_progress', summary: [] }, deltas: summary === null ? [] : deltas, item };
}

function unknownItem({ identity }: Rendering): ResponseItem {
  const item = { id: `fk_${identity.id}`, type: 'fake_call', status: 'completed', text: 'Not a word of the answer.' };
  const progress = { type: 'response.fake_call.delta', delta: 'Not a word of the answer.' };
  return { opened: { ...item, status: 'in_progress' }, deltas: [progress], item };
}

function messageItem({ request, answer, identity }: Rendering): ResponseItem {
  const { text, refusal, finishReason } = answer;
  const item = {
    id: `msg_${identity.id}`,
    type: 'message',
    status: finishReason === 'stop' ? 'completed' : 'incomplete',
    role: 'assistant',
    content: [content(text, refusal)],
  };
  const at = { content_index: 0 };
  const kind = refusal === undefined ? 'response.output_text' : 'response.refusal';
  const logprobs = refusal === undefined ? { logprobs: [] } : {};
  return {
    opened: { ...item, status: 'in_progress', content: [] },
    deltas: [
      { type: 'response.content_part.added', ...at, part: content('', refusal === undefined ? undefined : '') },
      ...splitForStream(refusal ?? text).map((delta) => ({
        type: `${kind}.delta`,
        ...at,
        delta,
        ...logprobs,
        ...obfuscation(delta, request.obfuscate),
      })),
      { type: `${kind}.done`, ...at, ...(refusal === undefined ? { text } : { refusal }), ...logprobs },
      { type: 'response.content_part.done', ...at, part: content(text, refusal) },
    ],
    item,
  };
}

const content = (text: string, refusal: Answer['refusal']) =>
  refusal === undefined ? { type: 'output_text', annotations: [], logprobs: [], text } : { type: 'refusal', refusal };
