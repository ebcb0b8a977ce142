import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MARKER } from '../bench/regression/report/markdown.ts';

const folder = fileURLToPath(new URL('../.github/workflows/', import.meta.url));
const workflows = readdirSync(folder).map((name) => [name, readFileSync(folder + name, 'utf8')] as const);

/** The jobs of a workflow by name: what stands between two keys that are indented by two. */
const jobsOf = (workflow: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (workflow.split(/^jobs:$/m)[1] ?? '')
      .split(/^ {2}(?=[a-z-]+:$)/m)
      .slice(1)
      .map((job) => [job.slice(0, job.indexOf(':')), job]),
  );

describe.each(workflows)('%s', (_, workflow) => {
  it('names each action by its commit, with the version beside it', () => {
    const used = workflow.match(/uses: .*/g) ?? [];
    expect(used.length).toBeGreaterThan(0);
    for (const line of used) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('leaves no credentials behind after a checkout', () => {
    const checkouts = workflow.match(/actions\/checkout@/g) ?? [];
    expect(workflow.match(/persist-credentials: false/g)).toHaveLength(checkouts.length);
  });

  it('gives no right to write to all jobs', () => {
    expect(workflow).toMatch(/^permissions:( \{\}|\n {2}contents: read)$/m);
  });
});

it('publishes in a job that runs nothing but npm publish, on what a job without secrets has packed', () => {
  const jobs = jobsOf(readFileSync(`${folder}release.yml`, 'utf8'));
  expect(Object.keys(jobs)).toEqual(['version', 'build', 'publish', 'tag']);
  const withToken = Object.keys(jobs).filter((name) => jobs[name]?.includes('id-token: write'));
  expect(withToken).toEqual(['publish']);
  expect(jobs['publish']?.match(/run: .*/g)).toEqual([expect.stringMatching(/^run: npm publish \.\/\*\.tgz /)]);
  expect(jobs['publish']).not.toContain('actions/checkout');
  expect(jobs['build']).not.toMatch(/secrets\.|: write/);
});

it('comments on performance in a job that runs no code of the pull request', () => {
  const jobs = jobsOf(readFileSync(`${folder}perf.yml`, 'utf8'));
  expect(Object.keys(jobs)).toEqual(['gate', 'comment']);
  expect(jobs['gate']).not.toMatch(/secrets\.|: write/);
  expect(jobs['comment']).toContain('pull-requests: write');
  expect(jobs['comment']).not.toMatch(/actions\/checkout|\bnpm\b|\bnode\b/);
  expect(jobs['comment']).toContain(MARKER);
});
