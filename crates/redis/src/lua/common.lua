-- Stands before every script. A script is one step: nobody sees or changes anything in the middle of it.
--
-- ARGV[1]  the time now, by the application's clock. Redis' own clock decides nothing.
-- ARGV[2]  what the keys of the owners' indexes begin with. Empty on a cluster: there the index of an owner
--          lives in another slot than the session, and the store writes it in a step of its own.
-- ARGV[3]  the channel on which endings are announced, or empty
local now, index_prefix, channel = ARGV[1], ARGV[2], ARGV[3]

-- How much longer than its time a key stays before Redis itself drops it. Only for tidiness: what has
-- expired is not shown anyway. Room for an application's clock that is set back.
local SLACK = 600000
-- The longest time to live that is asked of Redis: a thousand years. Beyond it Redis would refuse.
local LONGEST = 31557600000000
-- How long a tombstone holds: much longer than any command can be on its way.
local TOMBSTONE = 3600000

-- An argument, or false if it is empty.
local function filled(argument)
  return argument and argument ~= '' and argument
end

-- Whether `a` is not later than `b`. Both are whole numbers in decimal. Doubles cannot tell the farthest
-- dates apart; the digits can.
local function at_or_before(a, b)
  local x, y = tonumber(a), tonumber(b)
  if x ~= y then return x < y end
  if a == b then return true end
  local smaller
  if #a ~= #b then smaller = #a < #b else smaller = a < b end
  return smaller ~= (string.sub(a, 1, 1) == '-')
end

-- The first fields of a session, or none of them if that key holds something else.
local function fields(key, ...)
  local found = redis.pcall('HMGET', key, ...)
  if found.err then return {} end
  return found
end

-- Whether a session with that version and expiry is there and not over.
local function is_live(version, expires_at)
  return version and not (expires_at and at_or_before(expires_at, now))
end

local function time_to_live(expires_at)
  local left = tonumber(expires_at) - tonumber(now)
  return math.max(0, math.min(left, LONGEST)) + SLACK
end

-- Has Redis drop the key some time after it expired; never if there is no expiry.
local function keep_until(key, expires_at)
  if expires_at then
    redis.call('PEXPIRE', key, string.format('%.0f', time_to_live(expires_at)))
  else
    redis.call('PERSIST', key)
  end
end

-- Puts a session into an index, or corrects its expiry there. The index stays as long as any of its entries.
local function put(index, entry, expires_at)
  local left = redis.call('PTTL', index)
  redis.call('ZADD', index, expires_at or '+inf', entry)
  if not expires_at or left == -2 then
    keep_until(index, expires_at)
  elseif left >= 0 and time_to_live(expires_at) > left then
    keep_until(index, expires_at)
  end
end

-- One server: the key of a session that an index names.
local function session_key(member)
  return string.sub(index_prefix, 1, -3) .. 's:{' .. member .. '}'
end

-- The same for the index of an owner; nothing on a cluster, or without owner. Some sessions that Redis has
-- dropped meanwhile leave the index, so that it does not grow with every sign-in of a lifetime.
local function list(owner, member, expires_at)
  if not owner or index_prefix == '' then return end
  local index = index_prefix .. owner
  put(index, member, expires_at)
  for _, due in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', now, 'LIMIT', 0, 8)) do
    if redis.call('EXISTS', session_key(due)) == 0 then redis.call('ZREM', index, due) end
  end
end

local function unlist(owner, member)
  if owner and index_prefix ~= '' then
    redis.call('ZREM', index_prefix .. owner, member)
  end
end

-- Notes where a session moved to, if there is a key for that.
local function leave_trail(key, trail, ends_at)
  if key then
    redis.call('SET', key, trail, 'PX', string.format('%.0f', time_to_live(ends_at)))
  end
end

-- Tells all listeners that a session ended or moved. Only a hint: if it cannot be sent, what was done is done.
local function announce(member)
  if channel ~= '' then redis.pcall('PUBLISH', channel, member) end
end

-- Whether an index entry that is kept until `bound` is enough for a session that ends at `wanted`.
local function covers(bound, wanted)
  return not bound or (wanted and at_or_before(wanted, bound))
end
