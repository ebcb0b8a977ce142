import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { type Accepted, type Difference, differences, type Journal, reasonOf } from './differences.ts';

/**
 * Prints where two records differ, by scenario and field: `node .ci/journal/compare.ts <a.json> <b.json> [--most 12]`.
 * Exit code 1 when a difference is not listed in `accepted.json`.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { most: { type: 'string', default: '12' } },
});
const [before, after] = positionals;
if (before === undefined || after === undefined) throw new Error('compare.ts needs two records');

const read = (path: string): string => {
  const bytes = readFileSync(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
};
const readJournal = (path: string): Journal => JSON.parse(read(path)).scenarios;
const accepted: readonly Accepted[] = JSON.parse(read(join(import.meta.dirname, 'accepted.json')));

const all = differences(readJournal(before), readJournal(after));
const unexplained = new Map<string, Difference[]>();
const reasons = new Map<string, number>();
for (const difference of all) {
  const reason = reasonOf(difference, accepted);
  if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  else unexplained.set(difference.scenario, [...(unexplained.get(difference.scenario) ?? []), difference]);
}
const most = Number(values.most);
for (const [scenario, list] of unexplained) {
  console.log(`${scenario}: ${list.length}`);
  for (const { field, before: was, after: is } of list.slice(0, most)) {
    console.log(`  ${field}: ${JSON.stringify(was)} → ${JSON.stringify(is)}`);
  }
  if (list.length > most) console.log(`  and ${list.length - most} more`);
}
for (const [reason, count] of reasons) console.log(`accepted ${count}: ${reason}`);
console.log(`${unexplained.size} scenarios differ without a listed reason`);
process.exitCode = unexplained.size === 0 ? 0 : 1;
