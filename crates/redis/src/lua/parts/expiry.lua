local NEVER = '99999999999999999999'
-- How much longer than its time a key stays before Redis itself drops it. Only for tidiness: what has
-- expired is not shown anyway. Room for an application's clock that is set back.
local SLACK = 600000
-- The longest time to live that is asked of Redis: a thousand years. Beyond it Redis would refuse.
local LONGEST = 31557600000000

-- A time as a number. Not exact for the farthest dates; the digits are.
local function number(time)
  return (tonumber(sub(time, 1, 11)) - 10000000000) * 1000000000 + tonumber(sub(time, 12))
end

-- Until that time, in milliseconds.
local function lasting(time)
  return math.max(0, math.min(time - number(now), LONGEST)) + SLACK
end

local function time_to_live(expires_at)
  return lasting(number(expires_at))
end

local function keep_for(key, time)
  redis.call('PEXPIRE', key, string.format('%.0f', lasting(time)))
end

-- Has Redis drop the key some time after it expired; never if it does not expire.
local function keep_until(key, expires_at)
  if expires_at == NEVER then
    redis.call('PERSIST', key)
  else
    keep_for(key, number(expires_at))
  end
end

-- Notes where a session moved to, if there is a key for that.
local function leave_trail(key, trail, ends_at)
  if key then
    redis.call('SET', key, trail, 'PX', string.format('%.0f', time_to_live(ends_at)))
  end
end
