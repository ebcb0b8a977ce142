import type { ContenderTask } from './contender-process.ts';
import { findSuite } from './find-suites.ts';
import { measureContender } from './measure-contender.ts';

/** Measures one contender once, in a process of its own, and sends the slice to its parent. */
process.once('disconnect', () => process.exit(1));
const task = JSON.parse(process.argv[2] ?? '{}') as ContenderTask;
const suite = await findSuite(new URL(task.file), task.suite);
const slice = await measureContender(suite, task.contender, task.options);
process.send?.(slice, () => process.exit(0));
