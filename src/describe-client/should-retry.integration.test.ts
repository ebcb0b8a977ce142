import { describe, expect, it, vi } from 'vitest';
import { image, useFakeApi } from './fake-api.fixture.ts';

const { server, start } = useFakeApi();
const outage = [{ fault: { kind: 'error', status: 500 } }] as const;

describe("the user's `retry.shouldRetry` in a client", () => {
  it('forbids a retry: one request, and the error of the API stands, with the reason in `explain`', async () => {
    server().setFaults(outage);
    const shouldRetry = vi.fn(async () => false);
    const client = start({ retry: { shouldRetry, initialDelayMs: 1, maxDelayMs: 5 } });
    const failure = await client.describe(image).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'DESCRIBE_UPSTREAM', status: 500, explain: { gaveUp: 'declined' } });
    expect(server().seen()).toHaveLength(1);
    expect(shouldRetry).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ code: 'DESCRIBE_UPSTREAM' }),
      expect.objectContaining({ attempt: 1, signal: expect.any(AbortSignal) }),
    );
  });

  it('is not asked about a failure that the table calls final', async () => {
    server().setFaults([{ fault: { kind: 'error', status: 400 } }]);
    const shouldRetry = vi.fn(() => true);
    const client = start({ retry: { shouldRetry } });
    await expect(client.describe(image)).rejects.toThrow();
    expect(server().seen()).toHaveLength(1);
    expect(shouldRetry).not.toHaveBeenCalled();
  });

  it('lets an async function decide by the attempts made', async () => {
    server().setFaults(outage);
    const client = start({
      retry: { maxAttempts: 9, initialDelayMs: 1, maxDelayMs: 5, shouldRetry: async (_, { attempt }) => attempt < 3 },
    });
    await expect(client.describe(image)).rejects.toMatchObject({ explain: { gaveUp: 'declined' } });
    expect(server().seen()).toHaveLength(3);
  });
});
