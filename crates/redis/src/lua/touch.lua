-- Notes that a session was used. The expiry is computed from what is stored: another request may have given
-- the session another idle time-out since the caller read it.
--
-- KEYS[1]  the session
-- ARGV[4]  the session as the index names it
-- ARGV[5]  when it was used
-- ARGV[6]  cluster: the index entry that was made to last longer for this touch; or empty
-- ARGV[7]  cluster: until when it lasts now; empty for ever
--
-- Answers 'touched'; 'gone'; 'index' with owner, entry and expiry if the entry has to last longer first.

-- The parts of a whole number in decimal: how many thousand millions, and the rest, which is never negative.
-- Doubles hold both exactly, which they do not hold the farthest dates.
local THOUSAND_MILLION = 1000000000
local function parts(text)
  local sign, digits = string.match(text, '^(-?)(%d+)$')
  local high = tonumber(string.sub(digits, 1, -10)) or 0
  local low = tonumber(string.sub(digits, -9))
  if sign == '' then return high, low end
  if low == 0 then return -high, 0 end
  return -high - 1, THOUSAND_MILLION - low
end

-- The sum of two whole numbers, the second not negative; the largest of 64 bits if it is beyond that.
local function sum(a, b)
  local high, low = parts(a)
  local more_high, more_low = parts(b)
  high, low = high + more_high, low + more_low
  if low >= THOUSAND_MILLION then high, low = high + 1, low - THOUSAND_MILLION end
  if high > 9223372036 or (high == 9223372036 and low > 854775807) then
    return '9223372036854775807'
  end
  local sign = ''
  if high < 0 then
    sign = '-'
    if low == 0 then high = -high else high, low = -high - 1, THOUSAND_MILLION - low end
  end
  if high == 0 then return (low == 0 and '0') or sign .. string.format('%.0f', low) end
  return sign .. string.format('%.0f%09.0f', high, low)
end

local key = KEYS[1]
local found = redis.call('HMGET', key,
  'version', 'expires_at', 'owner', 'times', 'entry', 'bound')
if not is_live(found[1], found[2]) then return {'gone'} end

local expires_at, idle_timeout = string.match(found[4] or '', '(%S+) (%S+)$')
if expires_at == '-' then expires_at = false end
if idle_timeout and idle_timeout ~= '-' then
  local unused = sum(ARGV[5], idle_timeout)
  if not expires_at or at_or_before(unused, expires_at) then expires_at = unused end
end

local owner, entry, bound = found[3], found[5], found[6]
if owner and index_prefix == '' and not covers(bound, expires_at) then
  local lasts = filled(ARGV[7])
  if ARGV[6] ~= entry or not covers(lasts, expires_at) then
    return {'index', owner, entry or '', expires_at or ''}
  end
  if lasts then
    redis.call('HSET', key, 'bound', lasts)
  else
    redis.call('HDEL', key, 'bound')
  end
end

redis.call('HSET', key, 'last_seen_at', ARGV[5])
if expires_at then
  redis.call('HSET', key, 'expires_at', expires_at)
else
  redis.call('HDEL', key, 'expires_at')
end
keep_until(key, expires_at)
list(owner, ARGV[4], expires_at)
return {'touched'}
