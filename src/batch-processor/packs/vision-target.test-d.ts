import type OpenAI from 'openai';
import { expectTypeOf, test } from 'vitest';
import type { VisionDescription, VisionRequest, VisionTarget } from '../index.ts';
import type { VisionDescriptionBatchProcessor } from '../vision-description-batch-processor.ts';

test('an OpenAI client, a lease of one and a pool of them are targets', () => {
  expectTypeOf<OpenAI>().toExtend<VisionTarget>();
  expectTypeOf<{ client: OpenAI; release(): void }>().toExtend<VisionTarget>();
  interface Pool {
    use<Value>(run: (client: OpenAI) => Promise<Value>, options?: { readonly signal?: AbortSignal }): Promise<Value>;
  }
  expectTypeOf<Pool>().toExtend<VisionTarget>();
  expectTypeOf<{
    send(request: OpenAI.ChatCompletionCreateParamsNonStreaming): Promise<OpenAI.ChatCompletion>;
  }>().toExtend<VisionTarget>();
  expectTypeOf<{ fetch(): void }>().not.toExtend<VisionTarget>();
});

test('the type of data follows the parse of the schema', () => {
  const process = (processor: VisionDescriptionBatchProcessor, request: VisionRequest<{ readonly cats: number }>) =>
    processor.process(request);
  expectTypeOf(process).returns.resolves.toEqualTypeOf<VisionDescription<{ readonly cats: number }>>();
});
