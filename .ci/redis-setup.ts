import { ensureRedisServer } from './ensure-redis-server.ts';

// Vitest runs this before each file that starts a Redis, and fails the file with what it throws.
ensureRedisServer();
