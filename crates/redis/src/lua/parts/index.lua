-- Puts a session into an index, or corrects its expiry there. The index stays as long as any of its entries.
local function put(index, entry, expires_at)
  local left = redis.call('PTTL', index)
  local score = expires_at == NEVER and '+inf' or string.format('%.0f', number(expires_at))
  redis.call('ZADD', index, score, entry)
  if expires_at == NEVER or left == -2 then
    keep_until(index, expires_at)
  elseif left >= 0 and time_to_live(expires_at) > left then
    keep_until(index, expires_at)
  end
end

-- One server: the key of a session that an index names.
local function session_key(member)
  return sub(index_prefix, 1, -3) .. 's:{' .. member .. '}'
end

-- The same for the index of an owner; nothing on a cluster, or without owner. Some sessions that Redis has
-- dropped meanwhile leave the index, so that it does not grow with every sign-in of a lifetime.
local function list(owner, member, expires_at)
  if owner == '' or index_prefix == '' then return end
  local index = index_prefix .. owner
  put(index, member, expires_at)
  for _, due in ipairs(redis.call('ZRANGEBYSCORE', index, '-inf', string.format('%.0f', number(now)), 'LIMIT', 0, 8)) do
    if redis.call('EXISTS', session_key(due)) == 0 then redis.call('ZREM', index, due) end
  end
end

local function unlist(owner, member)
  if owner ~= '' and index_prefix ~= '' then
    redis.call('ZREM', index_prefix .. owner, member)
  end
end
