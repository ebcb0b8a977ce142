/** How many results there are of a dimension, and before those of the first. */
export const DIMENSION_RESULTS = 5;
export const COMMON_RESULTS = 5;

/**
 * Settles one quota that processes share, in one step. It follows the limits that the API told one of them, and refills
 * by the clock of Redis. It grants the wish of a process, a little in the future where there is not enough now. Later
 * wishes then see a lower level, and get later times, so that they do not arrive at once (GCRA, ITU-T I.371).
 *
 * The model of a bucket is the one of `QuotaDimension`: headers are compared with the level when the request was made,
 * less later corrections. Units that were granted and not taken yet are still in the API's bucket, and so counted.
 *
 * KEYS: the state, the members. ARGV: time in ms instead of that of Redis or empty, member, milliseconds that keys
 * live, pause in ms, horizon in ms, guard in ms, whether the process has used the quota before; then for requests and
 * tokens: wanted, wanted at least, upper bound per ms or 0, rate last heard per ms or 0, units held of grants, units
 * that come back unused, units by which what was taken was less than granted, time of the request whose headers follow
 * or 0, level then less corrections, level told, capacity told or 0. Result: granted (2 all, 1 the least, 0 nothing),
 * wait in ms, time in ms, rest of the pause in ms, members; then for both: level of the API's bucket, rate per ms or 0,
 * capacity, corrections, foreign rate per ms.
 */
export const SHARED_QUOTA = `
local time = redis.call('TIME')
local now = tonumber(ARGV[1]) or time[1] * 1000 + time[2] / 1000
local ttl = tonumber(ARGV[3])
local guard = tonumber(ARGV[6])
local raw = redis.call('HGETALL', KEYS[1])
local state = {}
for i = 1, #raw, 2 do state[raw[i]] = tonumber(raw[i + 1]) end
-- A server that took over may be behind a little, and is waited for; what is far ahead was written by a clock that was wrong.
if state.now and state.now - now > 5000 then state = {} end
now = math.max(now, state.now or now)
local elapsed = now - (state.now or now)
state.now = now
state.pause = math.max(state.pause or 0, now + tonumber(ARGV[4]))

redis.call('ZADD', KEYS[2], now, ARGV[2])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - 10000)) do
  redis.call('ZREM', KEYS[2], gone)
  redis.call('HDEL', KEYS[1], 'rheld' .. gone, 'theld' .. gone)
  state['rheld' .. gone] = nil
  state['theld' .. gone] = nil
end
local members = redis.call('ZCARD', KEYS[2])

local function follow(name, first)
  local function at(offset) return tonumber(ARGV[first + offset]) end
  local get = function(field) return state[name .. field] end
  local bound, heard, back, adjust = at(2), get('heard') or 0, at(5), at(6)
  local sent, base, told, size = at(7), at(8), at(9), at(10)
  local since = sent - (get('sent') or sent)
  local news = sent > (get('sent') or 0)
  local foreign, trust = get('foreign') or 0, get('trust') or 0
  if (news or heard == 0) and at(3) > 0 and at(3) ~= heard then
    heard = at(3)
    foreign = 0
    trust = now
  end
  local rate = heard
  if bound > 0 and (heard == 0 or bound < heard) then rate = bound end
  if rate == 0 then return { rate = 0, level = 0, capacity = 0, fixed = 0, foreign = 0, out = 0 } end
  local before = get('rate')
  local capacity = get('capacity') or math.max(1, rate * 1000)
  local level = get('level')
  local fixed = get('fixed') or 0
  local out = 0
  state[name .. 'held' .. ARGV[2]] = at(4)
  for field, value in pairs(state) do
    if string.sub(field, 1, 5) == name .. 'held' then out = out + value end
  end
  if before and before ~= rate then
    capacity = math.max(1, capacity * rate / before)
    state[name .. 'recent'] = nil
    state[name .. 'bunchAt'] = nil
  end
  if level then
    level = level + elapsed * math.max(rate * 0.1, rate - foreign) + back
    -- What processes took by themselves is not asked back twice: none is put into debt for it.
    adjust = math.max(adjust, math.min(0, -level))
    level = level + adjust
    fixed = fixed + adjust
  else
    level = news and told or ARGV[7] == '1' and 0 or capacity
    news = news and nil
    state[name .. 'sent'] = math.max(sent, get('sent') or 0)
  end
  if size > 0 and rate == heard then
    if size > capacity then capacity = size
    elseif capacity - size > 1 + capacity * 0.05 then capacity = capacity + (size - capacity) * 0.3 end
  end
  level = math.min(level, capacity)
  if now - (get('sent') or now) > 5000 then foreign = foreign * math.exp(-elapsed / 10000) end
  if news then
    state[name .. 'sent'] = sent
    if told >= (capacity - 1) * 0.99 then foreign = foreign * math.exp(-since / 4000) end
    local difference = told - base - fixed
    -- More than the rate allows for long was let pass at once: its order on the way says little.
    local bunched = sent < (get('bunchAt') or 0) + 1000
    local bunch = bunched and get('bunch') or 0
    if difference > 0 then difference = math.max(0, difference - bunch) else difference = math.min(0, difference + bunch) end
    -- Sent at another limit: what the model said then is no measure.
    if sent <= trust then difference = math.min(0, told - level) end
    if math.abs(difference) >= math.max(0.05, capacity * 0.01) and (difference < 0 or rate == heard) then
      if difference > 0 then difference = difference * math.max(0.5, 1 - math.exp(-since / 500)) end
      local after = math.min(capacity, level + difference)
      fixed = fixed + after - level
      level = after
      if sent > trust and rate == heard and not bunched then
        foreign = math.min(rate, math.max(0, foreign - difference / math.max(4000, math.min(since, 10000))))
      end
    end
  end
  state[name .. 'recent'] = (get('recent') or 0) * math.exp(-elapsed / 1000)
  state[name .. 'heard'] = heard
  state[name .. 'foreign'] = foreign
  state[name .. 'trust'] = trust
  return { rate = rate, level = level, capacity = capacity, fixed = fixed, foreign = foreign, out = out }
end

local function refillOf(bucket)
  return math.max(bucket.rate * 0.1, bucket.rate - bucket.foreign)
end

-- One grant may wait for each member, so that the slow don't starve.
local function horizonOf(bucket, cost)
  if bucket.rate == 0 then return 0 end
  return math.min(10000, members * cost / refillOf(bucket))
end

local function waitFor(bucket, cost)
  if bucket.rate == 0 or cost <= 0 then return 0 end
  local headroom = math.min(bucket.rate * 550, math.max(0, (bucket.capacity - cost) * 0.55))
  local need = math.min(cost + headroom + bucket.rate * guard, bucket.capacity)
  if need <= bucket.level then return 0 end
  local wait = (need - bucket.level) / refillOf(bucket)
  if need == bucket.capacity then wait = wait + math.min(guard, bucket.capacity / bucket.rate * 0.06) end
  return wait
end

local buckets = { follow('r', 8), follow('t', 19) }
local granted, wait = 0, 0
for attempt = 2, 1, -1 do
  local requests, tokens = tonumber(ARGV[10 - attempt]), tonumber(ARGV[21 - attempt])
  if requests <= 0 and tokens <= 0 then break end
  wait = math.max(state.pause - now, waitFor(buckets[1], requests), waitFor(buckets[2], tokens))
  local horizon = math.max(tonumber(ARGV[5]), horizonOf(buckets[1], requests), horizonOf(buckets[2], tokens))
  if wait <= horizon then
    granted = attempt
    for i, units in ipairs({ requests, tokens }) do
      buckets[i].level = buckets[i].level - units
      buckets[i].out = buckets[i].out + units
      local name = i == 1 and 'r' or 't'
      local held = name .. 'held' .. ARGV[2]
      state[held] = (state[held] or 0) + units
      local recent = (state[name .. 'recent'] or 0) + units
      state[name .. 'recent'] = recent
      if recent > math.max(buckets[i].rate * 1200, units * 8) then
        local since = now - (state[name .. 'bunchAt'] or 0)
        state[name .. 'bunch'] = math.max(recent, since < 2000 and state[name .. 'bunch'] or 0)
        state[name .. 'bunchAt'] = now
      end
    end
    break
  end
end

local result = { granted, wait, now, math.max(0, state.pause - now), members }
for i, name in ipairs({ 'r', 't' }) do
  local bucket = buckets[i]
  result[#result + 1] = bucket.level + bucket.out
  for _, field in ipairs({ 'rate', 'capacity', 'fixed', 'foreign' }) do result[#result + 1] = bucket[field] end
  bucket.out = nil
  if bucket.rate > 0 then
    for field, value in pairs(bucket) do state[name .. field] = value end
  end
end
local fields = {}
for field, value in pairs(state) do
  fields[#fields + 1] = field
  fields[#fields + 1] = string.format('%.17g', value)
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], ttl)
redis.call('PEXPIRE', KEYS[2], ttl)
for i, value in ipairs(result) do result[i] = string.format('%.17g', value) end
return result
`;
