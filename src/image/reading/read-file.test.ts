import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFile } from './read-file.ts';

/** Makes a named pipe. Node has no function for it. */
const MAKE_PIPE = 'mkfifo';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'describe-image-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const code = (path: string | URL) =>
  readFile(path, { maxBytes: 1_000, field: 'file' }).then(
    ({ length }) => `${length} bytes`,
    (error: unknown) => (error as { code?: string }).code ?? error,
  );

describe('readFile', () => {
  it('never waits for a pipe or socket that a path leads to, by link or not', async () => {
    const [pipe, link, socket] = ['pipe.png', 'link.png', 'socket.png'].map((name) => join(directory, name));
    execFileSync(MAKE_PIPE, [pipe ?? '']);
    await symlink(pipe ?? '', link ?? '');
    const server = createServer().listen(socket);
    await once(server, 'listening');
    for (const file of [pipe, link, socket]) {
      expect(await code(file ?? ''), file).toBe('DESCRIBE_INPUT_INVALID');
    }
    server.close();
    await symlink(join(directory, 'loop.png'), join(directory, 'loop.png'));
    expect(await code(join(directory, 'loop.png'))).toBe('DESCRIBE_IMAGE_UNREADABLE');
  });

  it('says where it looked for a file that is not there, without its name', async () => {
    const read = readFile('secret-cat.png', { maxBytes: 1_000, field: 'file' });
    await expect(read).rejects.toThrow(
      /^image: the file can't be read \(ENOENT\)\. No file has this path; a relative one starts at the working directory\.$/,
    );
  });

  it('takes a path that can not be one for a file that can not be read', async () => {
    for (const path of ['a\0b', '', new URL('http://example.com/cat.png'), new URL('file://host/cat.png')]) {
      expect(await code(path), String(path)).toBe('DESCRIBE_IMAGE_UNREADABLE');
    }
  });
});
