import { expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { InlineHosts } from './inline-hosts.ts';

it('remembers a host for a while, not for good', async () => {
  const clock = new ManualClock();
  const hosts = new InlineHosts({ clock, rememberMs: 1_000 });
  hosts.add('https://slow.example/cat.jpg');
  expect(hosts.has(new URL('https://slow.example/dog.jpg'))).toBe(true);
  expect(hosts.has('https://slow.example:8443/dog.jpg')).toBe(false);
  await clock.advance(1_000);
  expect([hosts.has('https://slow.example/dog.jpg'), hosts.size]).toEqual([false, 0]);
});

it('remembers at most maxHosts, the latest', () => {
  const hosts = new InlineHosts({ clock: new ManualClock(), maxHosts: 2 });
  for (const name of ['a', 'b', 'a', 'c']) hosts.add(`https://${name}.example/`);
  expect(['a', 'b', 'c'].map((name) => hosts.has(`https://${name}.example/`))).toEqual([true, false, true]);
});
