-- Begins a session, which may end another one and has room to be made for it, one server.
--
-- KEYS[1]  the session that begins
-- KEYS[2]  the session that ends with it, live or not; may be left out
-- ARGV[4]  the first as the index names it
-- ARGV[5]  the second, or empty
-- ARGV[6]  the owner of the first, or empty
-- ARGV[7]  when it expires, or empty
-- ARGV[8]  how many live sessions the owner may have, or empty for any number
-- ARGV[9]  'oldest': the oldest end to make room. 'refuse': none does
-- ARGV[10] and on: names and values of its fields
--
-- Answers 'stored', the version, and the sessions that ended to make room; 'exists'; 'refused'. Nothing was
-- changed unless it is the first.
local to, from, member, ending = KEYS[1], KEYS[2], ARGV[4], ARGV[5]
local owner, expires_at, most = filled(ARGV[6]), filled(ARGV[7]), tonumber(ARGV[8])

local taken = redis.call('HMGET', to, 'version', 'expires_at', 'owner')
if is_live(taken[1], taken[2]) then return {'exists'} end

local function older(a, b)
  if a.created_at == b.created_at then return a.member < b.member end
  return at_or_before(a.created_at, b.created_at)
end

-- The owner's live sessions, but for the two. Others than those of the index there are none.
local function others(index)
  local live = {}
  for _, name in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    if name ~= member and name ~= ending then
      local found = fields(session_key(name), 'version', 'expires_at', 'owner', 'times')
      if found[3] ~= owner then
        redis.call('ZREM', index, name)
      elseif is_live(found[1], found[2]) then
        local created_at = string.match(found[4] or '', '^-?%d+') or '0'
        live[#live + 1] = {member = name, created_at = created_at}
      end
    end
  end
  return live
end

local answer = {'stored', '1'}
if owner and most then
  local index = index_prefix .. owner
  local entries = redis.call('ZCARD', index)
  if from and redis.call('ZSCORE', index, ending) then entries = entries - 1 end
  -- With fewer entries than that there is room, whatever they are.
  if entries >= most then
    local live = others(index)
    local too_many = #live + 1 - most
    if too_many > 0 and ARGV[9] == 'refuse' then return {'refused'} end
    if too_many > 0 then table.sort(live, older) end
    for at = 1, too_many do
      local name = live[at].member
      redis.call('DEL', session_key(name))
      redis.call('ZREM', index, name)
      announce(name)
      answer[#answer + 1] = name
    end
  end
end

if from then
  local ended = fields(from, 'version', 'expires_at', 'owner')
  redis.call('DEL', from)
  unlist(ended[3], ending)
  if is_live(ended[1], ended[2]) then announce(ending) end
end

unlist(taken[3], member)
if taken[1] then redis.call('DEL', to) end
redis.call('HSET', to, 'version', '1', unpack(ARGV, 10))
keep_until(to, expires_at)
list(owner, member, expires_at)
return answer
