/**
 * Scripts for the keys of one slot, sent whole each time: Redis keeps them compiled by their digest, and no restart or
 * failover can lose them.
 */

/** Gets the version of a tag or makes it `ARGV[1]`, and keeps it for at least `ARGV[2]` ms. Replaces other values. */
export const STAMP_TAG = `
local version = redis.pcall('GET', KEYS[1])
if type(version) ~= 'string' or #version > 64 then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return version`;

/** Gets texts of at most `ARGV[1]` bytes. Any other value reads as a text that is no entry. Not for a Cluster. */
export const READ_BOUNDED = `
local texts = {}
for i, key in ipairs(KEYS) do
  local length = redis.pcall('STRLEN', key)
  local fits = type(length) == 'number' and length <= tonumber(ARGV[1])
  texts[i] = fits and redis.call('GET', key) or not fits and '?'
end
return texts`;

/**
 * Takes the lease with token `ARGV[1]` for `ARGV[2]` ms. It must be free, have no expiry (so not be of this package),
 * or `ARGV[3]` be 1. Calls UNLINK first, which returns a lease, so that a user without that right takes none.
 */
export const TAKE_LEASE = `
if ARGV[3] == '1' or redis.call('PTTL', KEYS[1]) < 0 then
  redis.call('UNLINK', KEYS[1])
  redis.call('GET', KEYS[1])
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return 0`;

/** Renews the lease of token `ARGV[1]` for `ARGV[2]` ms; 0 when another process has it. */
export const KEEP_LEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** Returns the lease of token `ARGV[1]` and publishes that on channel `ARGV[2]`; 2 where it may not publish. */
export const END_LEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('UNLINK', KEYS[1])
return type(redis.pcall('PUBLISH', ARGV[2], ARGV[3])) == 'table' and 2 or 1`;

/**
 * Writes the entry while the token holds the lease, returns the lease and publishes that. 0 when it was lost, 2 if not
 * published.
 */
export const FILL = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
redis.call('UNLINK', KEYS[1])
return type(redis.pcall('PUBLISH', ARGV[4], ARGV[5])) == 'table' and 2 or 1`;
