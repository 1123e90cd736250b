-- Notes that a session was used. The expiry is computed from what is stored: another request may have given
-- the session another idle time-out since the caller read it.
--
-- KEYS[1]  the session
-- ARGV[4]  the session as the index names it
-- ARGV[5]  when it was used
-- ARGV[6]  cluster: the index entry that was made to last longer for this touch; or empty
-- ARGV[7]  cluster: until when it lasts now
--
-- Answers 'touched', now and then with owner, entry and until when that lasts, for the entry to be looked for;
-- 'gone'; 'index' with owner, entry and expiry if the entry has to last longer first.

-- The sum of a time and a number of milliseconds; the last time that there is if it is beyond that. Doubles hold both
-- halves exactly, which they do not hold the farthest dates.
local function later(time, span)
  local high = tonumber(sub(time, 1, 11)) + tonumber(sub(span, 1, 11))
  local low = tonumber(sub(time, 12)) + tonumber(sub(span, 12))
  if low >= 1000000000 then high, low = high + 1, low - 1000000000 end
  if high > 19223372036 or (high == 19223372036 and low > 854775807) then
    return '19223372036854775807'
  end
  return string.format('%011.0f%09.0f', high, low)
end

local key, last_seen_at = KEYS[1], ARGV[5]
local found = found_at(key)
if not found.live then return {'gone'} end

local expires_at = sub(found.head, 128, 147)
local idle_timeout = sub(found.head, 148, 167)
if idle_timeout ~= NEVER then
  local unused = later(last_seen_at, idle_timeout)
  if unused < expires_at then expires_at = unused end
end

local entry, bound = found.entry, found.bound
if found.owner ~= '' and index_prefix == '' and expires_at > bound then
  if ARGV[6] ~= entry or expires_at > ARGV[7] then
    return {'index', found.owner, entry, expires_at}
  end
  redis.call('SETRANGE', key, '173', ARGV[7])
end

-- The two times stand side by side.
redis.call('SETRANGE', key, '27', expires_at .. last_seen_at)
keep_until(key, expires_at)
list(found.owner, ARGV[4], expires_at)
-- An entry that was made to last longer was seen just now.
if found.entry ~= '' and ARGV[6] == '' and is_time_to_look(found.head, last_seen_at) then
  return {'touched', found.owner, found.entry, bound}
end
return {'touched'}
