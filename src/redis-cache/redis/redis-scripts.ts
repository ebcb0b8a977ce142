/**
 * Scripts that touch the keys of one slot only, sent whole each time: Redis keeps them compiled by their digest, and no
 * restart or failover can lose them.
 */

/**
 * Gets the version of a tag or makes it `ARGV[1]`, and keeps it for at least `ARGV[2]` ms. What is no version is
 * replaced.
 */
export const STAMP_TAG = `
local version = redis.pcall('GET', KEYS[1])
if type(version) ~= 'string' or #version > 64 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return version`;

/**
 * Gets texts of at most `ARGV[1]` bytes; what is longer, or no text, reads as text that is no entry. One slot only, or
 * no Cluster.
 */
export const READ_BOUNDED = `
local texts = {}
for i, key in ipairs(KEYS) do
  local length = redis.pcall('STRLEN', key)
  local fits = type(length) == 'number' and length <= tonumber(ARGV[1])
  texts[i] = fits and redis.call('GET', key) or not fits and '?'
end
return texts`;

/**
 * Takes the lease with token `ARGV[1]` for `ARGV[2]` ms when it is free, without an end (so not ours), or `ARGV[3]` is
 * 1. It begins with what gives a lease back, so that a user who may not do that takes none.
 */
export const TAKE_LEASE = `
if ARGV[3] == '1' or redis.call('PTTL', KEYS[1]) < 0 then
  redis.call('UNLINK', KEYS[1])
  redis.call('GET', KEYS[1])
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return 0`;

/** Keeps the lease of token `ARGV[1]` for `ARGV[2]` ms more; 0 when it is another's. */
export const KEEP_LEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** Gives the lease of token `ARGV[1]` back, and says so on channel `ARGV[2]`; 2 where it may not say so. */
export const END_LEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('UNLINK', KEYS[1])
return type(redis.pcall('PUBLISH', ARGV[2], ARGV[3])) == 'table' and 2 or 1`;

/**
 * Writes the entry only while the lease is still ours, gives the lease back and tells the others; 0 when it was lost, 2
 * where it may not tell.
 */
export const FILL = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('UNLINK', KEYS[1])
return type(redis.pcall('PUBLISH', ARGV[4], ARGV[5])) == 'table' and 2 or 1`;
