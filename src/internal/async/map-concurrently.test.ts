import { describe } from 'vitest';
import { itLoopsConcurrently } from './concurrent-loop.fixture.ts';
import { mapConcurrently } from './map-concurrently.ts';

describe('mapConcurrently', () => itLoopsConcurrently(mapConcurrently));
